// Keeps a list fresh without reloading: replaces the contents of <main> when they changed on the server and nobody is in them.
// What was opened or closed stays so.
(function () {
  "use strict";
  var main = document.querySelector("main[data-refresh]");
  if (!main) return;
  function folded(root) {
    return Array.from(root.querySelectorAll("details[data-key]"));
  }
  function refresh() {
    var held = document.activeElement;
    if (document.hidden || String(getSelection()) || (main.contains(held) && held !== main && !held.matches("summary, [data-copy]"))) return;
    fetch(location.href, { credentials: "same-origin" })
      .then(function (reply) { return reply.ok ? reply.text() : ""; })
      .then(function (html) {
        var fresh = new DOMParser().parseFromString(html, "text/html").querySelector("main[data-refresh]");
        if (!fresh || fresh.textContent === last) return;
        last = fresh.textContent;
        var open = {}, focused = main.contains(held) && held.matches("summary") ? held.parentNode.dataset.key : null;
        folded(main).forEach(function (item) { open[item.dataset.key] = item.open; });
        main.replaceChildren.apply(main, Array.from(fresh.childNodes));
        folded(main).forEach(function (item) {
          if (item.dataset.key in open) item.open = open[item.dataset.key];
          if (item.dataset.key === focused) item.querySelector("summary").focus();
        });
      })
      .catch(function () {});
  }
  var last = main.textContent;
  setInterval(refresh, 2000);
})();
