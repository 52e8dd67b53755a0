(function () {
  "use strict";
  document.querySelectorAll("details.toc").forEach(function (d) {
    if (window.matchMedia("(max-width: 1000px)").matches) { d.removeAttribute("open"); }
    d.addEventListener("click", function (e) {
      if (e.target.closest("a") && window.matchMedia("(max-width: 1000px)").matches) { d.removeAttribute("open"); }
    });
  });
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details").forEach(function (d) { d.open = true; });
  });
  var links = {};
  document.querySelectorAll("nav.side a").forEach(function (a) { links[a.getAttribute("href").slice(1)] = a; });
  if ("IntersectionObserver" in window) {
    var seen = new IntersectionObserver(function (entries) {
      entries.forEach(function (entry) {
        if (entry.isIntersecting && links[entry.target.id]) {
          Object.keys(links).forEach(function (k) { links[k].removeAttribute("aria-current"); });
          links[entry.target.id].setAttribute("aria-current", "true");
        }
      });
    }, { rootMargin: "-10% 0px -80% 0px" });
    document.querySelectorAll("main > section[id]").forEach(function (s) { seen.observe(s); });
  }
  var table = document.getElementById("rule-table"), bar = document.getElementById("rule-filters");
  if (!table || !bar) { return; }
  bar.hidden = false;
  var body = table.tBodies[0], rows = Array.prototype.slice.call(body.rows), status = "";
  var search = document.getElementById("rule-search"), shown = document.getElementById("rule-shown");
  function apply() {
    var text = search.value.trim().toLowerCase(), count = 0;
    rows.forEach(function (row) {
      var on = (!status || row.dataset.status === status) && (!text || row.textContent.toLowerCase().indexOf(text) >= 0);
      row.hidden = !on;
      count += on ? 1 : 0;
    });
    shown.textContent = count + " of " + rows.length + " rules shown";
  }
  search.addEventListener("input", apply);
  bar.querySelectorAll("button").forEach(function (button) {
    button.addEventListener("click", function () {
      status = button.dataset.status;
      bar.querySelectorAll("button").forEach(function (b) { b.setAttribute("aria-pressed", String(b === button)); });
      apply();
    });
  });
  table.querySelectorAll("th[data-sort]").forEach(function (head) {
    var button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.textContent = head.textContent;
    head.textContent = "";
    head.appendChild(button);
    button.addEventListener("click", function () {
      var key = head.dataset.sort, up = head.getAttribute("aria-sort") !== "ascending";
      table.querySelectorAll("th[data-sort]").forEach(function (h) { h.removeAttribute("aria-sort"); });
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
