// The API reference: Swagger UI over /openapi.yaml, with nothing of any other host.

const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

const reference = SwaggerUIBundle({
  url: "/openapi.yaml",
  domNode: document.getElementById("reference"),
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  validatorUrl: null,
  // The token is gone when the page is.
  persistAuthorization: false,
  onComplete: () => reference.layoutActions.show(["operations", "live", "getCall"], true),
});
