// Tells the answer to the window of the app that opened this one, or that has it in a frame.
const { origin, message } = document.querySelector("[data-message]").dataset;
(window.opener ?? window.parent).postMessage(JSON.parse(message), origin);
