// What this browser can open: it is asked, by a small sample of each kind.

/** Pictures of 1x1 to 64x64 pixels in one colour, in base64, where browsers differ. */
const PICTURE_SAMPLES = {
  avif: 
    "AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUIAAADrbWV0YQAAAAAAAAAhaGRscgAAAAAAAAAAcGljdAAAAAAA"
    + "AAAAAAAAAAAAAAAOcGl0bQAAAAAAAQAAAB5pbG9jAAAAAEQAAAEAAQAAAAEAAAETAAAAIwAAAChpaW5mAAAAAAABAAAA"
    + "GmluZmUCAAAAAAEAAGF2MDFDb2xvcgAAAABqaXBycAAAAEtpcGNvAAAAFGlzcGUAAAAAAAAAAgAAAAIAAAAQcGl4aQAA"
    + "AAADCAgIAAAADGF2MUOBAAwAAAAAE2NvbHJuY2x4AAEADQAGgAAAABdpcG1hAAAAAAAAAAEAAQQBAoMEAAAAK21kYXQS"
    + "AAoIGAA2iAhoNCAyFR7Hh4VZ3///4sAAAJA1jjxQZ5fOQA==",
  heif: 
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAVZtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAA"
    + "AAAAAAAAACJpbG9jAAAAAERAAAEAAQAAAAABegABAAAAAAAAABgAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABo"
    + "dmMxAAAAAA5waXRtAAAAAAABAAAA1mlwcnAAAAC3aXBjbwAAAHhodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEA"
    + "GEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQArQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbqSSmubgIaDAgAAAMAyAAA"
    + "AwAIQGIAAQAHRAHBcrAiQAAAABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAABAAAAAQAAAABBwaXhpAAAAAAMI"
    + "CAgAAAAXaXBtYQAAAAAAAAABAAEEgQIDBAAAACBtZGF0AAAAFCgBrwQY/Hk46//5EM+FAXBeEdDg",
  jpeg2000: 
    "/0//UQAvAAAAAAABAAAAAQAAAAAAAAAAAAAAAQAAAAEAAAAAAAAAAAADBwEBBwEBBwEB/1IADAAAAAEAAAQEAAH/XAAE"
    + "QED/ZAAlAAFDcmVhdGVkIGJ5IE9wZW5KUEVHIHZlcnNpb24gMi41LjT/kAAKAAAAAAAdAAH/k8+0CARPz7QICJ/PtAgH"
    + "L//Z",
  tiff: 
    "SUkqAAgAAAAKAAABBAABAAAAAQAAAAEBBAABAAAAAQAAAAIBAwADAAAAhgAAAAMBAwABAAAAAQAAAAYBAwABAAAAAgAA"
    + "ABEBBAABAAAAjAAAABUBAwABAAAAAwAAABYBBAABAAAAAQAAABcBBAABAAAAAwAAABwBAwABAAAAAQAAAAAAAAAIAAgA"
    + "CADIHjw=",
};

/** Opened by every browser that has what the engine needs. */
const OPENED_EVERYWHERE = ["jpeg", "png", "gif", "webp", "bmp", "ico"];

/** What a common video of each codec asks for, as WebCodecs writes it. */
const CODEC_SAMPLES = {
  h264: "avc1.640028",
  hevc: "hvc1.1.6.L120.B0",
  vp8: "vp8",
  vp9: "vp09.00.40.08",
  av1: "av01.0.08M.08",
};

/** @returns {Promise<Record<string, boolean>>} by the name of the format */
export async function picturesOpened() {
  const found = Object.entries(PICTURE_SAMPLES).map(async ([name, text]) => {
    const bytes = Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
    return [name, await isPictureOpened(new Blob([bytes]))];
  });
  const everywhere = OPENED_EVERYWHERE.map((name) => [name, true]);
  return Object.fromEntries([...everywhere, ...await Promise.all(found)]);
}

/** @returns {Promise<Record<string, boolean>>} by the name of the codec */
export async function videosOpened() {
  const found = Object.entries(CODEC_SAMPLES).map(async ([name, codec]) =>
    [name, await isCodecOpened(codec)]);
  return Object.fromEntries(await Promise.all(found));
}

/** @param {Blob} blob */
async function isPictureOpened(blob) {
  try {
    (await createImageBitmap(blob)).close();
    return true;
  } catch {
    return false;
  }
}

/** @param {string} codec */
async function isCodecOpened(codec) {
  if (typeof VideoDecoder === "undefined") {
    return false;
  }
  const size = { codedWidth: 1920, codedHeight: 1080 };
  try {
    return (await VideoDecoder.isConfigSupported({ codec, ...size })).supported === true;
  } catch {
    return false;
  }
}
