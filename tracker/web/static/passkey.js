// Asks the browser for a passkey and sends its answer with the form of the page. What to ask for is
// in the form's data; the page's policy allows this file and no script that stands in the page.
(function () {
  "use strict";

  function toBytes(text) {
    var plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, function (sign) {
      return sign.charCodeAt(0);
    });
  }

  function toText(buffer) {
    var plain = Array.from(new Uint8Array(buffer), function (one) {
      return String.fromCharCode(one);
    }).join("");
    return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  function withBytes(described) {
    return (described || []).map(function (one) {
      return Object.assign({}, one, { id: toBytes(one.id) });
    });
  }

  // What the server writes as base64url, the browser takes as bytes.
  function asked(options) {
    var given = Object.assign({}, options, { challenge: toBytes(options.challenge) });
    if (options.user) {
      given.user = Object.assign({}, options.user, { id: toBytes(options.user.id) });
      given.excludeCredentials = withBytes(options.excludeCredentials);
    } else {
      given.allowCredentials = withBytes(options.allowCredentials);
    }
    return given;
  }

  function answered(credential) {
    var response = {};
    ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"].forEach(
      function (name) {
        if (credential.response[name]) {
          response[name] = toText(credential.response[name]);
        }
      }
    );
    return JSON.stringify({
      id: credential.id,
      rawId: toText(credential.rawId),
      type: credential.type,
      response: response,
    });
  }

  function start(form, failed) {
    var options = JSON.parse(form.dataset.options);
    var container = navigator.credentials;
    if (!window.PublicKeyCredential || !container) {
      failed.hidden = false;
      return;
    }
    failed.hidden = true;
    var given = { publicKey: asked(options) };
    (options.user ? container.create(given) : container.get(given)).then(
      function (credential) {
        form.elements.credential.value = answered(credential);
        form.submit();
      },
      function () {
        failed.hidden = false;
      }
    );
  }

  window.addEventListener("DOMContentLoaded", function () {
    var form = document.getElementById("passkey");
    var failed = document.getElementById("failed");
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      start(form, failed);
    });
    if (!document.querySelector("[data-wrong]")) {
      start(form, failed);
    }
  });
})();
