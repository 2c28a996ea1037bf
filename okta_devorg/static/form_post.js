// Sends the form that carries the answer to the app; without scripts, its button does.
document.querySelector("form[data-submit]").submit();
