// The form of a report, or of a verdict: keeps what is typed on this device, and sends it once there is a connection.
//
// A form has a key, under which the server takes one report, or verdict, and no second one. So it is sent again
// as often as need be, under the same key; what was sent is forgotten only when the server says that
// it was taken. Files cannot be kept: they are sent as long as the page stays open.
(() => {
  "use strict";

  const PREFIX = "quickwin.report:";
  const KEPT_DAYS = 30;
  const FIRST_WAIT = 2000, LONGEST_WAIT = 60000;
  const PATIENCE = 45000; // of a report without files; files take as long as they take
  const OF_THE_FORM = new Set(["key", "resubmits", "seen"]);
  const NOT_KEPT = new Set(["file", "file_id", "file_title", "file_kind"]);

  const drafts = {
    read(name) {
      try {
        return JSON.parse(localStorage.getItem(name));
      } catch {
        return null;
      }
    },
    write(name, draft) {
      try {
        localStorage.setItem(name, JSON.stringify(draft));
      } catch {
        // no room, or not allowed: the page itself still has it
      }
    },
    remove(name) {
      try {
        localStorage.removeItem(name);
      } catch {
        // there was none
      }
    },
    names() {
      try {
        return Object.keys(localStorage).filter((name) => name.startsWith(PREFIX));
      } catch {
        return [];
      }
    },
  };

  // What is not this person's, or old, is nobody's business here.
  function tidy(person) {
    const oldest = Date.now() - KEPT_DAYS * 86400000;
    for (const name of drafts.names()) {
      const draft = drafts.read(name);
      if (!name.startsWith(`${PREFIX}${person} `) || !draft || draft.at < oldest) drafts.remove(name);
    }
  }

  function forgetTaken(page) {
    for (const name of drafts.names()) {
      const draft = drafts.read(name);
      if (name.endsWith(` ${page.dataset.taken}`) && draft && draft.key === page.dataset.key) {
        drafts.remove(name);
      }
    }
  }

  class ReportForm {
    constructor(form, told) {
      this.form = form;
      this.told = told;
      this.button = form.querySelector("button");
      this.files = form.querySelector("input[type=file]");
      this.name = `${PREFIX}${form.dataset.person} ${form.dataset.report}`;
      this.isPending = false;
      this.isSending = false;
      this.wait = FIRST_WAIT;
      this.timer = 0;
      this.slide();
      tidy(form.dataset.person);
      const draft = drafts.read(this.name);
      if (draft && !("answered" in form.dataset)) this.restore(draft);
      form.addEventListener("input", () => this.keep());
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        this.submit();
      });
      if (!navigator.onLine && !this.isPending) this.say("offline");
    }

    chosen() {
      return this.files ? [...this.files.files] : [];
    }

    // The slider says what the number says; a number with decimals stays as it was typed.
    slide() {
      const number = this.form.elements.percent_complete;
      if (!number) return;
      const slider = this.form.querySelector("[data-slider]");
      const follow = () => { slider.value = number.value || 0; };
      follow();
      slider.hidden = false;
      number.addEventListener("input", follow);
      slider.addEventListener("input", () => {
        number.value = slider.value;
        this.keep();
      });
    }

    fields() {
      return [...new FormData(this.form)].filter(
        ([name, value]) => typeof value === "string" && !NOT_KEPT.has(name),
      );
    }

    keep() {
      drafts.write(this.name, {
        key: this.form.elements.key.value,
        fields: this.fields(),
        pending: this.isPending,
        files: this.chosen().length,
        at: Date.now(),
      });
    }

    restore(draft) {
      const links = draft.fields.filter(([name]) => name === "link_title").length;
      let rows = this.form.querySelectorAll(".link-row:not(.kept)");
      while (rows.length < links) {
        rows[rows.length - 1].after(rows[rows.length - 1].cloneNode(true));
        rows = this.form.querySelectorAll(".link-row:not(.kept)");
      }
      const places = {};
      for (const [name, value] of draft.fields) {
        // Its key goes with what was sent; what was only typed goes with the new form.
        if (OF_THE_FORM.has(name) && !draft.pending) continue;
        const place = (places[name] = (places[name] ?? -1) + 1);
        const fields = [...this.form.querySelectorAll(`[name="${name}"]`)];
        if (fields[place]?.type === "radio") fields.forEach((field) => { field.checked = field.value === value; });
        else if (fields[place]) fields[place].value = value;
      }
      this.form.elements.percent_complete?.dispatchEvent(new Event("input"));
      this.say(draft.files ? "files" : "kept");
      if (draft.pending && !draft.files) {
        this.isPending = true;
        this.send();
      }
    }

    submit() {
      const chosen = this.chosen();
      if (chosen.length > Number(this.form.dataset.mostFiles)) return this.say("many");
      if (chosen.some((file) => file.size > Number(this.form.dataset.largest))) return this.say("large");
      this.isPending = true;
      this.wait = FIRST_WAIT;
      this.keep();
      return this.send();
    }

    async send() {
      if (this.isSending || !this.isPending) return;
      clearTimeout(this.timer);
      if (!navigator.onLine) {
        this.say("waiting");
        return;
      }
      this.isSending = true;
      this.say("sending");
      this.button.disabled = true;
      const body = new FormData(this.form);
      const patience = new AbortController();
      const timer = this.chosen().length ? 0 : setTimeout(() => patience.abort(), PATIENCE);
      try {
        const answer = await fetch(this.form.action, {
          method: "POST",
          body,
          headers: { Accept: "text/html" },
          signal: patience.signal,
        });
        const page = await answer.text();
        this.isSending = false;
        this.take(answer, page);
      } catch {
        this.isSending = false;
        this.later();
      } finally {
        clearTimeout(timer);
        this.button.disabled = false;
      }
    }

    take(answer, page) {
      const path = new URL(answer.url).pathname;
      if (answer.status === 401 || path.startsWith("/sign-in")) {
        this.say("signed-out");
      } else if (answer.ok && answer.redirected) {
        this.isPending = false;
        drafts.remove(this.name);
        location.assign(answer.url);
      } else if (answer.status >= 500 || answer.status === 429 || answer.status === 408) {
        this.later(Number(answer.headers.get("Retry-After")) * 1000);
      } else {
        this.isPending = false;
        this.keep();
        this.show(page);
      }
    }

    // What is wrong, as the server's page says it; the kept files are in it, too.
    show(page) {
      const found = new DOMParser().parseFromString(page, "text/html");
      document.title = found.title;
      document.querySelector("main").replaceWith(document.adoptNode(found.querySelector("main")));
      begin();
      const alert = document.querySelector("main [role=alert]");
      if (alert) {
        alert.tabIndex = -1;
        alert.focus();
      }
    }

    later(least = 0) {
      this.say("waiting");
      this.timer = setTimeout(() => this.send(), Math.max(least || 0, this.wait * (0.75 + Math.random() / 2)));
      this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
    }

    online() {
      this.wait = FIRST_WAIT;
      if (this.isPending) this.send();
      else this.say("");
    }

    offline() {
      this.say(this.isPending ? "waiting" : "offline");
    }

    say(what) {
      this.told.hidden = !what;
      this.told.textContent = what ? this.told.getAttribute(`data-says-${what}`) : "";
    }
  }

  let current = null;

  function begin() {
    const form = document.querySelector("form[data-report]");
    const told = document.querySelector("[data-offline]");
    const taken = document.querySelector("[data-taken]");
    current = form && told ? new ReportForm(form, told) : null;
    if (taken) forgetTaken(taken);
  }

  begin();
  addEventListener("online", () => current?.online());
  addEventListener("offline", () => current?.offline());
  addEventListener("pageshow", (event) => {
    if (event.persisted && current && !current.isPending) location.reload(); // its key may be used up
  });
  addEventListener("beforeunload", (event) => {
    if (current?.isPending && current.chosen().length) event.preventDefault();
  });
  document.addEventListener("submit", (event) => {
    if (event.target.getAttribute("action") === "/sign-out") drafts.names().forEach(drafts.remove);
  });
})();
