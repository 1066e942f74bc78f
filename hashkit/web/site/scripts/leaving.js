// In the place of static/leaving.js: nothing runs elsewhere that could be told.

/** There is nobody to tell. */
export function tellOfLeaving() {}
