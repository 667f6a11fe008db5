// A review: its keys, which can be turned off; turning and zooming pictures; the text of a reason in
// the field that the holder reads. Without this file every act has its button or link all the same.
(function () {
  "use strict";

  var OFF = "review-keys-off";
  var keys = document.getElementById("keys");

  function isOff() {
    try {
      return window.localStorage.getItem(OFF) === "yes";
    } catch {
      return false;
    }
  }

  function turnKeys(off) {
    try {
      window.localStorage.setItem(OFF, off ? "yes" : "no");
    } catch {
      // A browser that keeps nothing has keys until the page is left.
    }
    show();
  }

  function show() {
    keys.querySelector("span").hidden = isOff();
    keys.querySelector("button").textContent = isOff() ? keys.dataset.on : keys.dataset.off;
  }

  function press(id) {
    var found = document.getElementById(id);
    if (found && found.tagName === "DETAILS") {
      found.open = true;
      found.querySelector("select, input:not([type=hidden])").focus();
    } else if (found) {
      found.click();
    }
  }

  function zoom(picture) {
    if (picture) {
      picture.classList.toggle("zoomed");
    }
  }

  var acts = {
    n: function () { press("skip"); },
    a: function () { press("approve"); },
    r: function () { press("reject"); },
    z: function () { document.querySelectorAll(".evidence img").forEach(zoom); },
  };

  function isTyping(target) {
    return /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.isContentEditable;
  }

  document.addEventListener("keydown", function (event) {
    var plain = !(event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.repeat);
    if (plain && !isOff() && !isTyping(event.target) && acts[event.key]) {
      event.preventDefault();
      acts[event.key]();
    }
  });

  document.querySelectorAll(".tools").forEach(function (tools) {
    var picture = tools.closest("figure").querySelector("img");
    var quarters = 0;
    tools.hidden = false;
    tools.querySelector("[data-zoom]").addEventListener("click", function () { zoom(picture); });
    tools.querySelector("[data-turn]").addEventListener("click", function () {
      picture.classList.remove("turned-" + quarters);
      quarters = (quarters + 1) % 4;
      picture.classList.add("turned-" + quarters);
    });
  });

  document.querySelectorAll("select[data-reason]").forEach(function (select) {
    var field = document.getElementById(select.dataset.reason);
    var filled = "";
    select.addEventListener("change", function () {
      if (field.value === filled) {
        filled = select.selectedOptions[0].dataset.told || "";
        field.value = filled;
      }
    });
  });

  keys.hidden = false;
  keys.querySelector("button").addEventListener("click", function () { turnKeys(!isOff()); });
  show();
})();
