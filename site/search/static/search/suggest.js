// Endings for what is being typed: a combobox with a list, as WAI-ARIA's authoring practices have it.
// Without this file the form works as it is.
"use strict";

(() => {
  function attach(input) {
    const form = input.form;
    const list = document.createElement("ul");
    const cache = new Map();
    let typed = "";
    let chosen = -1;
    let timer = 0;
    let asked = null;

    list.id = "suggestions";
    list.className = "suggestions";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Suggestions");
    list.hidden = true;
    form.append(list);
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-controls", list.id);
    input.setAttribute("aria-expanded", "false");

    function close() {
      list.hidden = true;
      chosen = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    }

    function show(suggestions) {
      list.replaceChildren(
        ...suggestions.map((text, number) => {
          const item = document.createElement("li");
          item.id = `suggestion-${number}`;
          item.setAttribute("role", "option");
          item.setAttribute("aria-selected", "false");
          item.textContent = text;
          return item;
        }),
      );
      chosen = -1;
      input.removeAttribute("aria-activedescendant");
      list.hidden = suggestions.length === 0;
      input.setAttribute("aria-expanded", String(!list.hidden));
    }

    function choose(number) {
      const items = [...list.children];
      chosen = number;
      items.forEach((item, place) => item.setAttribute("aria-selected", String(place === number)));
      if (number < 0) {
        input.value = typed;
        input.removeAttribute("aria-activedescendant");
        return;
      }
      input.value = items[number].textContent;
      input.setAttribute("aria-activedescendant", items[number].id);
      items[number].scrollIntoView({ block: "nearest" });
    }

    async function ask() {
      const text = input.value;
      if (text.trim() === "") return close();
      if (!cache.has(text)) {
        asked?.abort();
        asked = new AbortController();
        try {
          const url = `${input.dataset.suggest}?${new URLSearchParams({ q: text })}`;
          const answer = await fetch(url, { signal: asked.signal });
          cache.set(text, answer.ok ? (await answer.json()).suggestions : []);
        } catch {
          return; // something else was typed meanwhile, or nobody answers: then there are none
        }
      }
      if (input.value === text && document.activeElement === input) show(cache.get(text));
    }

    input.addEventListener("input", () => {
      typed = input.value;
      clearTimeout(timer);
      timer = setTimeout(ask, 80);
    });
    input.addEventListener("keydown", (event) => {
      const count = list.children.length;
      if (event.key === "Escape" && !list.hidden) {
        choose(-1);
        close();
        event.preventDefault();
      } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && !event.altKey) {
        if (list.hidden) {
          typed = input.value;
          ask();
        } else {
          // From the text itself down the list, and around.
          const step = event.key === "ArrowDown" ? 1 : -1;
          choose(((chosen + 1 + step + count + 1) % (count + 1)) - 1);
        }
        event.preventDefault();
      }
    });
    input.addEventListener("blur", close);
    list.addEventListener("mousedown", (event) => event.preventDefault());
    list.addEventListener("click", (event) => {
      const item = event.target.closest("li");
      if (!item) return;
      input.value = item.textContent;
      close();
      form.requestSubmit();
    });
  }

  function look() {
    const input = document.querySelector("input[data-suggest]:not([role])");
    if (input) attach(input);
  }

  look();
  // Results that changed in place brought a box of their own.
  document.addEventListener("htmx:afterSettle", look);
})();
