// The API reference: Swagger UI over /openapi.yaml, with nothing from any other host.

const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

// Lists of examples have no accessible name, which screen readers need.
const place = document.getElementById("reference");
const nameLists = () => {
  for (const list of place.querySelectorAll(".examples-select-element:not([aria-label])")) {
    list.setAttribute("aria-label", "Example");
  }
};
new MutationObserver(nameLists).observe(place, { childList: true, subtree: true });

const reference = SwaggerUIBundle({
  url: "/openapi.yaml",
  domNode: place,
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  validatorUrl: null,
  // The token is forgotten with the page.
  persistAuthorization: false,
  onComplete: () => reference.layoutActions.show(["operations", "live", "getCall"], true),
});
