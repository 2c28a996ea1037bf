// Keeps a list fresh without reloading: replaces the contents of <main> when they changed on the server and nobody is in them.
(function () {
  "use strict";
  var main = document.querySelector("main[data-refresh]");
  if (!main) return;
  function refresh() {
    if (document.hidden || main.querySelector("details[open]") || main.contains(document.activeElement) || String(getSelection())) return;
    fetch(location.href, { credentials: "same-origin" })
      .then(function (reply) { return reply.ok ? reply.text() : ""; })
      .then(function (html) {
        var fresh = new DOMParser().parseFromString(html, "text/html").querySelector("main[data-refresh]");
        if (fresh && fresh.textContent !== main.textContent) main.replaceChildren.apply(main, Array.from(fresh.childNodes));
      })
      .catch(function () {});
  }
  setInterval(refresh, 2000);
})();
