// A page that is left open follows what changes, and shows it without being in anybody's way.
//
// The server says that something has changed, never what; the page then asks for itself again, and
// the parts of it that differ are put in place of the old ones. What somebody types into, has focus
// in, or has opened, stays as it is, and a button offers the new state in its place.
(() => {
  "use strict";

  const { live, liveAfter, liveKind } = document.body.dataset;
  const told = document.querySelector("[data-live-told]");
  const follows = document.querySelector("[data-live-follows]");
  if (!live || !told || !window.EventSource) return;

  const SETTLE = 1500, SPREAD = 2000; // readers do not all ask at once
  const REST = 10000; // between two looks
  const HIDDEN = 20000; // a page that nobody sees holds no connection
  const LOST_AFTER = 6000; // a short gap is nobody's business
  const FIRST_WAIT = 3000, LONGEST_WAIT = 300000;

  let place = liveAfter || "";
  let stream = null, wait = FIRST_WAIT, lookedAt = 0;
  let seenAt = new Date(performance.timeOrigin); // as of when the page is
  let isLost = false, isSignedOut = false;
  const timers = {};

  function later(name, milliseconds, what) {
    clearTimeout(timers[name]);
    timers[name] = setTimeout(what, milliseconds);
  }

  function say(what, button) {
    told.replaceChildren(what ? told.getAttribute(`data-says-${what}`) : "");
    if (button) {
      const show = document.createElement("button");
      show.type = "button";
      show.textContent = told.getAttribute("data-says-show");
      show.addEventListener("click", () => location.reload());
      told.append(" ", show);
    }
    if (what === "signed-out") {
      const way = document.createElement("a");
      way.href = `/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`;
      way.textContent = told.getAttribute("data-says-sign-in");
      told.append(" ", way);
    }
    clearTimeout(timers.quiet);
    if (what === "updated" || what === "back") later("quiet", 6000, () => say(""));
  }

  // Quiet, and no message: it stands there as long as it is true.
  function follow(at) {
    const time = at.toLocaleTimeString(document.documentElement.lang, { timeStyle: "short" });
    follows.textContent = follows.getAttribute("data-says").replace("{time}", time);
    follows.hidden = false;
  }

  function open() {
    if (stream || document.hidden || isSignedOut) return;
    const address = new URL(live, location.href);
    if (place) address.searchParams.set("after", place);
    stream = new EventSource(address);
    stream.addEventListener("open", () => {
      clearTimeout(timers.lost);
      timers.lost = 0;
      wait = FIRST_WAIT;
      if (isLost) say("back");
      isLost = false;
      follow(seenAt);
    });
    stream.addEventListener("message", (event) => {
      place = event.lastEventId;
      if (event.data === "changed") plan();
    });
    stream.addEventListener("error", () => {
      miss();
      if (stream && stream.readyState === EventSource.CLOSED) {
        close();
        ask();
        later("open", wait * (0.75 + Math.random() / 2), open);
        wait = Math.min(wait * 2, LONGEST_WAIT);
      }
    });
  }

  // A stream does not say why it is refused.
  async function ask() {
    try {
      const answer = await fetch("/api/v1/me", { headers: { Accept: "application/json" } });
      if (answer.status === 401) leave();
    } catch {
      // no connection: that is told anyway
    }
  }

  function leave() {
    isSignedOut = true;
    close();
    for (const name of ["lost", "open", "look"]) clearTimeout(timers[name]);
    follows.hidden = true;
    say("signed-out");
  }

  function miss() {
    if (isSignedOut) return;
    if (!isLost && !document.hidden) timers.lost ||= setTimeout(lost, LOST_AFTER);
  }

  function lost() {
    timers.lost = 0;
    if (stream && stream.readyState === EventSource.OPEN) return;
    isLost = true;
    follows.hidden = true;
    say("lost");
  }

  function close() {
    stream?.close();
    stream = null;
  }

  function plan() {
    if (liveKind !== "swap") {
      say("new", true);
      return;
    }
    const rest = Math.max(0, lookedAt + REST - Date.now());
    if (!timers.look) {
      timers.look = setTimeout(look, Math.max(rest, SETTLE) + Math.random() * SPREAD);
    }
  }

  async function look() {
    timers.look = 0;
    lookedAt = Date.now();
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (answer.redirected && new URL(answer.url).pathname === "/sign-in") {
        leave();
        return;
      }
      if (!answer.ok || answer.redirected) {
        say("new", true); // gone, or elsewhere: the page says so when it is asked for
        return;
      }
      seenAt = new Date();
      follow(seenAt);
      take(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      later("look-again", REST, plan); // the stream tells when the connection is gone
    }
  }

  function take(found) {
    const old = document.querySelector("main"), fresh = found.querySelector("main");
    const parts = [...old.children], others = [...fresh.children];
    const isAlike = parts.length === others.length
      && parts.every((part, place) => part.tagName === others[place].tagName);
    const pairs = isAlike ? parts.map((part, place) => [part, others[place]]) : [[old, fresh]];
    let swapped = 0, kept = 0;
    for (const [part, other] of pairs) {
      if (plain(part) === plain(other)) continue;
      if (isInUse(part)) kept += 1;
      else {
        swap(part, other);
        swapped += 1;
      }
    }
    const [footer, footing] = [document, found].map((page) => page.querySelector("footer"));
    if (footer && footing && !isInUse(footer)) footer.replaceWith(document.adoptNode(footing));
    if (kept) say("new", true);
    else if (swapped) say("updated");
  }

  // As it came: what a reader has opened or scrolled, and what we have marked, is no change.
  function plain(part) {
    const copy = part.cloneNode(true);
    for (const each of [copy, ...copy.querySelectorAll("*")]) {
      each.classList.remove("fresh");
      if (!each.classList.length) each.removeAttribute("class");
      if (each.tagName === "DETAILS") each.removeAttribute("open");
    }
    return copy.outerHTML;
  }

  function isInUse(part) {
    const focused = document.activeElement;
    if (focused && focused !== document.body && part.contains(focused)) return true;
    if (part.contains(getSelection()?.anchorNode) && !getSelection().isCollapsed) return true;
    return [...part.querySelectorAll("input, textarea, select")].some((field) => {
      if (field.tagName === "SELECT") {
        return [...field.options].some((each) => each.selected !== each.defaultSelected && (each.defaultSelected || field.selectedIndex > 0));
      }
      return field.type === "checkbox" || field.type === "radio"
        ? field.checked !== field.defaultChecked
        : field.value !== field.defaultValue;
    });
  }

  function swap(part, other) {
    const fresh = document.adoptNode(other);
    const opened = [...part.querySelectorAll("details")].map((each) => each.open);
    const scrolled = [...part.querySelectorAll(".scroll")].map((each) => each.scrollLeft);
    part.replaceWith(fresh);
    fresh.querySelectorAll("details").forEach((each, place) => { each.open = opened[place] ?? each.open; });
    fresh.querySelectorAll(".scroll").forEach((each, place) => { each.scrollLeft = scrolled[place] ?? 0; });
    fresh.classList.add("fresh"); // how it shows, and whether it moves, is the style sheet's
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      later("hide", HIDDEN, close);
    } else {
      clearTimeout(timers.hide);
      open();
    }
  });
  addEventListener("online", open);
  addEventListener("offline", () => { // a stream without a network hears of it after minutes
    close();
    miss();
  });
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);
  open();
})();
