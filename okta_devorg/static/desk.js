// Shows what only works with a script, and copies codes.
(function () {
  "use strict";
  document.documentElement.classList.add("script");
  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-copy]");
    if (!button || !navigator.clipboard) return;
    navigator.clipboard.writeText(button.dataset.copy).then(function () {
      button.textContent = "Copied";
      setTimeout(function () { button.textContent = "Copy code"; }, 2000);
    }).catch(function () { button.textContent = "Not allowed here"; });
  });
})();
