// Asks the browser for the passkey and fills its answer into the sign-in form (Web Authentication, section 5.1.4).
(function () {
  "use strict";
  var button = document.querySelector("button[data-passkey]");
  var data = document.getElementById("passkey-options");
  if (!button || !data) return;
  var form = button.form;
  var options = JSON.parse(data.textContent);

  button.hidden = false; // not before: pressed without this script it would send an empty answer
  form.addEventListener("submit", function (event) {
    if (form.elements.signatureData.value) return;
    event.preventDefault();
    navigator.credentials.get({ publicKey: requestOptions() }).then(function (credential) {
      var answer = credential.response;
      form.elements.clientData.value = base64url(answer.clientDataJSON);
      form.elements.authenticatorData.value = base64url(answer.authenticatorData);
      form.elements.signatureData.value = base64url(answer.signature);
      form.submit();
    }).catch(function () {
      form.querySelector("[data-problem]").hidden = false;
    });
  });

  function requestOptions() {
    var known = options.allowCredentials.map(function (item) {
      return { type: item.type, id: bytes(item.id) };
    });
    return {
      challenge: bytes(options.challenge),
      rpId: options.rpId,
      timeout: options.timeout,
      userVerification: options.userVerification,
      allowCredentials: known,
    };
  }

  function bytes(text) {
    var binary = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(binary, function (letter) { return letter.charCodeAt(0); });
  }

  function base64url(buffer) {
    var binary = Array.from(new Uint8Array(buffer), function (byte) { return String.fromCharCode(byte); }).join("");
    return btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }
})();
