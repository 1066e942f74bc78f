// Every way to send that the tests know. Each is given an address of its own, where somebody listens.
// The test puts this into the page, with the hash of it into the page's policy.
((places) => {
  const url = (at) => `http://${at}/x`;

  function put(tag, fields, inside = "") {
    const element = Object.assign(document.createElement(tag), fields);
    if (inside) element.innerHTML = inside;
    document.body.append(element);
    return element;
  }

  const inWorker = (code) => {
    new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
  };

  async function stun(of, at) {
    const peer = new of.RTCPeerConnection({ iceServers: [{ urls: `stun:${at}` }] });
    peer.createDataChannel("x");
    await peer.setLocalDescription(await peer.createOffer());
  }

  const freshFrame = () => put("iframe", {}).contentWindow;

  const attempts = {
    fetch: (at) => fetch(url(at), { mode: "no-cors" }),
    fetch_post: (at) => fetch(url(at), { mode: "no-cors", method: "POST", body: "x", keepalive: true }),
    xhr: (at) => {
      const request = new XMLHttpRequest();
      request.open("GET", url(at));
      request.send();
    },
    beacon: (at) => navigator.sendBeacon(url(at), "x"),
    websocket: (at) => new WebSocket(`ws://${at}/x`),
    eventsource: (at) => new EventSource(url(at)),
    webtransport: (at) => new WebTransport(`https://${at}/x`),
    image: (at) => { new Image().src = url(at); },
    image_set: (at) => put("img", { srcset: `${url(at)} 1x` }),
    image_button: (at) => put("input", { type: "image", src: url(at) }),
    svg_image: (at) => put("div", {}, `<svg><image href="${url(at)}"/></svg>`),
    background: (at) => { put("p", { textContent: "x" }).style.background = `url(${url(at)})`; },
    style_sheet: (at) => put("link", { rel: "stylesheet", href: url(at) }),
    style_import: (at) => put("style", { textContent: `@import "${url(at)}";` }),
    font: (at) => new FontFace("x", `url(${url(at)})`).load(),
    video: (at) => put("video", { src: url(at), preload: "auto" }),
    audio: (at) => { new Audio(url(at)).preload = "auto"; },
    track: (at) => {
      const video = put("video", { src: "data:video/mp4," }, `<track default src="${url(at)}">`);
      video.textTracks[0].mode = "showing";
    },
    object: (at) => put("object", { data: url(at) }),
    embed: (at) => put("embed", { src: url(at) }),
    script: (at) => put("script", { src: url(at) }),
    module: (at) => import(url(at)),
    preload: (at) => put("link", { rel: "preload", as: "image", href: url(at) }),
    modulepreload: (at) => put("link", { rel: "modulepreload", href: url(at) }),
    prefetch: (at) => put("link", { rel: "prefetch", href: url(at) }),
    preconnect: (at) => put("link", { rel: "preconnect", href: url(at) }),
    icon: (at) => put("link", { rel: "icon", href: url(at) }),
    manifest: (at) => put("link", { rel: "manifest", href: url(at) }),
    rules: (at) => put("script", {
      type: "speculationrules",
      textContent: JSON.stringify({ prefetch: [{ urls: [url(at)], eagerness: "immediate" }] }),
    }),
    iframe: (at) => put("iframe", { src: url(at) }),
    iframe_text: (at) => put("iframe", { srcdoc: `<img src="${url(at)}">` }),
    ping: (at) => put("a", { href: "#x", ping: url(at) }).click(),
    worker: (at) => new Worker(url(at)),
    shared_worker: (at) => new SharedWorker(url(at)),
    service_worker: (at) => navigator.serviceWorker.register(url(at)),
    worker_fetch: (at) => inWorker(`fetch("${url(at)}", { mode: "no-cors" })`),
    worker_xhr: (at) => inWorker(
      `const r = new XMLHttpRequest(); r.open("GET", "${url(at)}"); r.send();`,
    ),
    worker_websocket: (at) => inWorker(`new WebSocket("ws://${at}/x")`),
    worker_eventsource: (at) => inWorker(`new EventSource("${url(at)}")`),
    worker_import: (at) => inWorker(`importScripts("${url(at)}")`),
    worker_module: (at) => inWorker(`import("${url(at)}")`),
    worker_in_worker: (at) => inWorker(
      `new Worker(URL.createObjectURL(new Blob(['fetch("${url(at)}", { mode: "no-cors" })'])))`,
    ),
    // To the server of the page, which hears of these by their names.
    own_fetch: (at) => fetch("/own_fetch"),
    own_image: (at) => { new Image().src = "/own_image"; },
    own_worker: (at) => new Worker("/own_worker"),
    own_module_worker: (at) => new Worker("/own_module_worker", { type: "module" }),
    own_shared_worker: (at) => new SharedWorker("/own_shared_worker"),
    own_service_worker: (at) => navigator.serviceWorker.register("/own_service_worker"),
    own_manifest: (at) => put("link", { rel: "manifest", href: "/own_manifest" }),
    own_frame: (at) => put("iframe", { src: "/own_frame" }),
    webrtc: (at) => stun(window, at),
    webrtc_of_frame: (at) => stun(freshFrame(), at),
    fetch_of_frame: (at) => freshFrame().fetch(url(at), { mode: "no-cors" }),
  };

  // These lead away from the page, or to another: each is tried alone.
  const alone = {
    location: (at) => { location.href = url(at); },
    location_replace: (at) => location.replace(url(at)),
    navigate: (at) => navigation.navigate(url(at)),
    refresh: (at) => {
      const element = document.createElement("meta");
      element.httpEquiv = "refresh";
      element.content = `0;url=${url(at)}`;
      document.head.append(element);
    },
    link: (at) => put("a", { href: url(at), textContent: "x" }).click(),
    link_alone: (at) => Object.assign(document.createElement("a"), { href: url(at) }).click(),
    link_tab: (at) => put("a", { href: url(at), target: "_blank", textContent: "x" }).click(),
    link_tab_alone: (at) => Object.assign(document.createElement("a"), {
      href: url(at), target: "_blank",
    }).click(),
    download: (at) => put("a", { href: url(at), download: "x", textContent: "x" }).click(),
    form: (at) => put("form", { action: url(at) }).submit(),
    form_post: (at) => put("form", { action: url(at), method: "post" }).submit(),
    form_tab: (at) => put("form", { action: url(at), target: "_blank" }).submit(),
    open: (at) => window.open(url(at)),
    document_open: (at) => document.open(url(at), "_blank", ""),
    open_of_frame: (at) => freshFrame().open(url(at)),
    location_of_frame: (at) => { freshFrame().location.href = url(at); },
    top_of_frame: (at) => {
      const frame = freshFrame();
      frame.document.body.append(frame.document.createElement("a"));
      Object.assign(frame.document.querySelector("a"), { href: url(at), target: "_top" }).click();
    },
  };

  const wanted = decodeURIComponent(location.hash.slice(1));
  const chosen = wanted === "all" ? attempts : { [wanted]: alone[wanted] };
  addEventListener("load", async () => {
    const tried = Object.entries(chosen).map(async ([name, attempt]) => {
      try {
        await attempt(places[name]);
      } catch {
        // It is not to be had here, or was refused.
      }
    });
    await Promise.race([Promise.all(tried), new Promise((done) => setTimeout(done, 2000))]);
    document.documentElement.dataset.attempted = "yes";
  });
})(PLACES);
