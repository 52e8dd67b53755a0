(function () {
  "use strict";
  var all = function (what, where) { return Array.prototype.slice.call((where || document).querySelectorAll(what)); };
  var narrow = window.matchMedia("(max-width: 1000px)"), svgns = "http://www.w3.org/2000/svg";
  var byId = function (id) { return document.getElementById(id); }, bit = function (t) { return document.createTextNode(t); };
  var main = byId("main");
  function make(tag, name, text) {
    var made = document.createElement(tag);
    if (name) { made.className = name; }
    if (text) { made.textContent = text; }
    return made;
  }

  /* contents: folded on a phone, the chapter being read is marked */
  all("details.toc").forEach(function (d) {
    if (narrow.matches) { d.removeAttribute("open"); }
    d.addEventListener("click", function (e) { if (e.target.closest("a") && narrow.matches) { d.removeAttribute("open"); } });
  });
  window.addEventListener("beforeprint", function () { all("details").forEach(function (d) { d.open = true; }); });
  var links = {};
  all("nav.side ol a").forEach(function (a) { links[a.getAttribute("href").slice(1)] = a; });
  var seen = new IntersectionObserver(function (entries) {
    entries.forEach(function (entry) {
      if (!entry.isIntersecting || !links[entry.target.id]) { return; }
      Object.keys(links).forEach(function (k) { links[k].removeAttribute("aria-current"); });
      links[entry.target.id].setAttribute("aria-current", "true");
    });
  }, { rootMargin: "-10% 0px -80% 0px" });
  all("main > section[id]").forEach(function (s) { seen.observe(s); });
  function reveal(place) {
    for (var up = place; up; up = up.parentElement) { if (up.tagName === "DETAILS") { up.open = true; } }
  }
  function follow() {
    var place = byId(decodeURIComponent(location.hash.slice(1)));
    if (place) { reveal(place); }
  }
  window.addEventListener("hashchange", follow);
  follow();

  /* on a phone a table that is wider than the screen stands as cards: a row each, its cells with their columns' names */
  var phone = window.matchMedia("(max-width: 640px)");
  function nameOf(head) {
    return Array.prototype.map.call(head.childNodes, function (n) {
      var text = n.textContent.trim();
      return n.nodeName === "SUP" ? " (" + text + ")" : n.nodeName === "SPAN" ? ", " + text : text;
    }).join("");
  }
  function lay(where) {
    all(".scroll > table:not(.cells):not(.pts):not(.cards)", where).forEach(function (t) {
      var names = t.tHead ? all("th", t.tHead.rows[0]).map(nameOf) : [];
      if (!phone.matches || !names.length || (names.length < 6 && t.offsetWidth <= t.parentElement.clientWidth)) { return; }
      t.classList.add("cards");
      t.setAttribute("role", "table");
      all("tr", t).forEach(function (r) {
        r.setAttribute("role", "row");
        all("th, td", r).forEach(function (c, i) {
          var cell = c.tagName === "TD", number = /\bnu?m?\b/.test(c.className);
          c.setAttribute("role", cell ? "cell" : c.scope === "col" ? "columnheader" : "rowheader");
          if (!cell || !i || names.length < 3 || c.colSpan > 1 || (!number && c.querySelector(".pill"))) { return; }
          c.dataset.label = names[i];
          c.classList.toggle("brief", number || c.textContent.length + names[i].length < 44);
        });
      });
    });
  }
  lay(document);
  phone.addEventListener("change", function () { lay(document); });
  document.addEventListener("toggle", function (e) { if (e.target.open) { lay(e.target); } }, true);

  /* permalinks: the address goes to the clipboard where that is allowed, and to the address bar in any case */
  var said = byId("said");
  document.addEventListener("click", function (e) {
    var link = e.target.closest("a.perma");
    if (!link || !navigator.clipboard) { return; }
    navigator.clipboard.writeText(link.href).then(function () {
      link.textContent = "✓";
      said.textContent = said.dataset.copied;
      setTimeout(function () { link.textContent = "#"; said.textContent = ""; }, 1600);
    }, function () {});
  });

  /* search across the report */
  var find = byId("find"), list = byId("found"), told = byId("found-told");
  if (find && list && main) {
    find.parentElement.hidden = false;
    var places = null;
    var index = function () {
      return all("p, li, td, th, figcaption, h2, h3, h4, title", main).map(function (e) {
        var text = e.textContent.replace(/\s+/g, " ");
        return { e: e, t: text, l: text.toLowerCase() };
      });
    };
    var where = function (e) {
      var part = e.closest("section[id]"), head = part && part.querySelector("h2, h1");
      return head ? head.textContent.replace(/#$/, "").trim() : "";
    };
    var go = function (e) {
      reveal(e);
      var target = e.closest("svg") || e;
      target.scrollIntoView({ block: "center" });
      all(".hit").forEach(function (h) { h.classList.remove("hit"); });
      target.classList.add("hit");
      if (!target.hasAttribute("tabindex")) { target.setAttribute("tabindex", "-1"); }
      target.focus({ preventScroll: true });
    };
    find.addEventListener("input", function () {
      var text = find.value.trim().toLowerCase();
      list.textContent = "";
      told.textContent = "";
      if (text.length < 2) { return; }
      places = places || index();
      var hits = places.filter(function (p) { return p.l.indexOf(text) >= 0; });
      told.textContent = told.dataset.text.replace("{number}", hits.length);
      hits.slice(0, 30).forEach(function (p) {
        var at = p.l.indexOf(text), from = Math.max(0, at - 24), item = make("li"), button = make("button");
        button.type = "button";
        button.appendChild(make("span", "where", where(p.e)));
        button.appendChild(bit((from ? "…" : "") + p.t.slice(from, at)));
        button.appendChild(make("mark", "", p.t.slice(at, at + text.length)));
        button.appendChild(bit(p.t.slice(at + text.length, at + text.length + 40)));
        button.addEventListener("click", function () { go(p.e); });
        item.appendChild(button);
        list.appendChild(item);
      });
    });
    find.addEventListener("keydown", function (e) {
      if (e.key === "Escape") { find.value = ""; find.dispatchEvent(new Event("input")); }
      if (e.key === "Enter") { var first = list.querySelector("button"); if (first) { first.click(); } }
    });
  }

  /* values on curves, from the table behind the figure: point at a place, or step with the arrow keys */
  function value(text) {
    var german = document.documentElement.lang === "de";
    return Number(text.replace("−", "-").replace(german ? /\./g : /,/g, "").replace(german ? "," : ".", "."));
  }
  all(".feature").forEach(function (feature) {
    var table = feature.querySelector("table.pts");
    if (!table) { return; }
    var heads = all("thead th", table);
    var rows = all("tbody tr", table).map(function (r) { return { x: value(r.cells[0].textContent), cells: r.cells }; });
    var numeric = rows.filter(function (r) { return isFinite(r.x); });
    all("svg[data-axis]", feature).forEach(function (svg) {
      var axis = svg.dataset.axis.split(" ").map(Number), box = svg.viewBox.baseVal, at = -1;
      var half = svg.parentElement, out = make("p", "readout"), line = document.createElementNS(svgns, "line");
      var side = svg.getAttribute("aria-labelledby").split("-t ")[0].slice(-1);
      if (!numeric.length) { return; }
      out.setAttribute("role", "status");
      half.appendChild(out);
      half.tabIndex = 0;
      half.setAttribute("role", "group");
      half.setAttribute("aria-label", byId(svg.getAttribute("aria-labelledby").split(" ")[0]).textContent + ". " + said.dataset.read);
      Object.entries({ "class": "cursor", y1: 8, y2: 152 }).forEach(function (a) { line.setAttribute(a[0], a[1]); });
      function show(i) {
        at = Math.max(0, Math.min(numeric.length - 1, i));
        var row = numeric[at], share = (row.x - axis[2]) / (axis[3] - axis[2]);
        var x = axis[0] + Math.max(0, Math.min(1, share)) * (axis[1] - axis[0]);
        line.setAttribute("x1", x);
        line.setAttribute("x2", x);
        svg.appendChild(line);
        out.textContent = heads.map(function (h, k) {
          return k && h.dataset.side.indexOf(side) < 0 ? "" : h.firstChild.textContent + " " + row.cells[k].textContent;
        }).filter(Boolean).join(" · ");
      }
      function hide() { at = -1; if (line.parentNode) { svg.removeChild(line); } out.textContent = ""; }
      svg.addEventListener("pointermove", function (e) {
        var place = svg.getBoundingClientRect(), x = (e.clientX - place.left) / place.width * box.width, best = 0;
        x = axis[2] + (x - axis[0]) / (axis[1] - axis[0]) * (axis[3] - axis[2]);
        numeric.forEach(function (r, i) { if (Math.abs(r.x - x) < Math.abs(numeric[best].x - x)) { best = i; } });
        if (best !== at) { show(best); }
      });
      svg.addEventListener("pointerleave", hide);
      half.addEventListener("blur", hide);
      half.addEventListener("keydown", function (e) {
        var step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
        if (step) { e.preventDefault(); show(at < 0 ? (step > 0 ? 0 : numeric.length - 1) : at + step); }
        if (e.key === "Escape") { hide(); }
      });
    });
  });

  /* the table of rules: filter, search, sort */
  var table = byId("rule-table"), bar = byId("rule-filters");
  if (!table || !bar) { return; }
  bar.hidden = false;
  var body = table.tBodies[0], rows = Array.prototype.slice.call(body.rows), status = "";
  var search = byId("rule-search"), shown = byId("rule-shown");
  function apply() {
    var text = search.value.trim().toLowerCase(), count = 0;
    rows.forEach(function (row) {
      var on = (!status || row.dataset.status === status) && (!text || row.textContent.toLowerCase().indexOf(text) >= 0);
      row.hidden = !on;
      count += on ? 1 : 0;
    });
    shown.textContent = shown.dataset.text.replace("{shown}", count).replace("{number}", rows.length);
  }
  search.addEventListener("input", apply);
  all("button", bar).forEach(function (button) {
    button.addEventListener("click", function () {
      status = button.dataset.status;
      all("button", bar).forEach(function (b) { b.setAttribute("aria-pressed", String(b === button)); });
      apply();
    });
  });
  all("th[data-sort]", table).forEach(function (head) {
    var button = make("button", "sort", head.textContent);
    button.type = "button";
    head.textContent = "";
    head.appendChild(button);
    button.addEventListener("click", function () {
      var key = head.dataset.sort, up = head.getAttribute("aria-sort") !== "ascending";
      all("th[data-sort]", table).forEach(function (h) { h.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      rows.sort(function (a, b) {
        var x = a.dataset[key], y = b.dataset[key];
        var order = key === "rank" ? Number(x) - Number(y) : x.localeCompare(y);
        return up ? order : -order;
      });
      rows.forEach(function (row) { body.appendChild(row); });
    });
  });
  apply();
})();
