// Hands a token to Swagger UI, which sends it with each call, and says whose it is. Nothing is kept
// here: Swagger UI keeps what it was given, as its own Authorize button does.
"use strict";

/* global ui */
const form = document.getElementById("token-form");
const told = document.getElementById("token-told");

// Swagger UI has a dark sheet, and leaves it to others when to wear it.
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

function tell(text, isGood) {
  told.textContent = text;
  told.className = isGood ? "good" : "bad";
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const token = form.elements.token.value.trim();
  try {
    const answer = await fetch("/api/v1/me", {
      credentials: "omit",
      headers: { Authorization: `Bearer ${token}`, "Accept-Language": document.documentElement.lang },
    });
    const body = await answer.json();
    if (!answer.ok) {
      tell(body.detail, false);
      return;
    }
    ui.preauthorizeApiKey("token", token);
    ui.authActions.persistAuthorizationIfNeeded();
    form.reset();
    tell(told.dataset.ready.replace("{name}", body.actor), true);
  } catch {
    tell(told.dataset.failed, false);
  }
});

// Its choice of servers has no name for those who hear it.
new MutationObserver((_, watching) => {
  const servers = document.getElementById("servers");
  if (servers) {
    servers.ariaLabel = "Servers";
    watching.disconnect();
  }
}).observe(document.getElementById("swagger-ui"), { childList: true, subtree: true });

// Swagger UI reads where it should open when it starts; links above it lead there later too.
window.addEventListener("hashchange", () => ui.layoutActions.parseDeepLinkHash(location.hash));
