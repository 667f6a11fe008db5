// Opens the documentation page on our own document. A file of its own, so that the page's policy
// need not allow scripts that stand in the page.
window.addEventListener("load", function () {
  window.SwaggerUIBundle({
    url: "/api/v1/openapi.json",
    dom_id: "#swagger-ui",
    deepLinking: true,
    validatorUrl: null,
    docExpansion: "none",
    tryItOutEnabled: true,
  });
});
