// Opens pages in a Chromium and prints what a visitor meets: a JSON object a line for every page, width and colour scheme.
// Usage: node browse.mjs CHROMIUM NODE_MODULES FILE... The page's own content security policy stays in force.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [chromiumPath, modules, ...files] = process.argv.slice(2);
const require = createRequire(join(modules, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(join(modules, "axe-core", "axe.min.js"), "utf8");
const SIZES = [
  { width: 1360, height: 900 },
  { width: 390, height: 844 },
];

async function visit(browser, file, size, colorScheme) {
  const context = await browser.newContext({ viewport: size, colorScheme, serviceWorkers: "block" });
  const page = await context.newPage();
  const url = pathToFileURL(file).href;
  const seen = { file, width: size.width, scheme: colorScheme, requests: [], console: [], dialogs: 0, popups: 0 };
  page.on("request", (request) => {
    // data: is what the page itself holds
    if (request.url() !== url && !request.url().startsWith("data:")) seen.requests.push(request.url().slice(0, 200));
  });
  page.on("console", (message) => seen.console.push(`${message.type()}: ${message.text()}`.slice(0, 300)));
  page.on("pageerror", (error) => seen.console.push(`error: ${error.message}`.slice(0, 300)));
  page.on("popup", () => (seen.popups += 1));
  page.on("dialog", (dialog) => {
    seen.dialogs += 1;
    dialog.dismiss();
  });
  await page.goto(url, { waitUntil: "load" });
  Object.assign(seen, await page.evaluate(look));
  await page.evaluate(handle);
  await page.waitForTimeout(100);
  Object.assign(seen, await page.evaluate(measure));
  await page.evaluate(axe);
  seen.axe = await page.evaluate(judge);
  await context.close();
  return seen;
}

function look() {
  const root = document.documentElement;
  return {
    language: root.lang,
    overflow: root.scrollWidth - root.clientWidth,
    fonts: [...document.fonts].filter((font) => font.status === "error").length,
    ran: Boolean(window.__hostile),
    scripts: document.scripts.length,
  };
}

function handle() {
  // what hides text is opened, and whatever can be pressed is pressed, once
  document.querySelectorAll("details").forEach((item) => (item.open = true));
  document.querySelectorAll("button").forEach((item) => {
    if (!/theme|dark|light|print/i.test(item.className + item.id + item.textContent)) item.click();
  });
  document.querySelectorAll("input[type=search]").forEach((item) => {
    item.value = "a";
    item.dispatchEvent(new Event("input", { bubbles: true }));
    item.value = "";
    item.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

function measure() {
  // with everything opened: what is cut off at the side, too small to read, or too small to hit with a finger
  const seen = { cut: new Set(), tiny: new Set(), narrow: new Set() };
  const named = (item) => `${item.tagName.toLowerCase()}.${item.getAttribute("class") || ""}: ${item.textContent.trim().slice(0, 60)}`;
  const clipped = [...document.querySelectorAll("body *")].filter((item) => getComputedStyle(item).clipPath !== "none");
  const pictured = ".pic, .cells, .pts, svg"; // what holds a picture or a field of numbers may be pushed aside by hand
  for (const item of document.querySelectorAll("body *")) {
    const box = item.getBoundingClientRect();
    const style = getComputedStyle(item);
    if (!box.width || style.visibility === "hidden" || clipped.some((one) => one.contains(item))) continue;
    const framed = item.closest(pictured) || item.querySelector(":scope > svg, :scope > .cells, :scope > .pts");
    if (!framed && box.right > root_width() + 1) seen.cut.add(named(item));
    const spoken = [...item.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
    if (spoken && !item.closest("title, desc") && letters(item, style) < 11.95) seen.tiny.add(named(item));
    // a link within a line is as high as its line (WCAG 2.2, 2.5.8, inline)
    const pressed = item.matches("a, button, input, select, summary") && style.display !== "inline";
    if (pressed && (box.height < 23.95 || box.width < 23.95)) seen.narrow.add(named(item));
  }
  return Object.fromEntries(Object.entries(seen).map(([key, found]) => [key, [...found].slice(0, 12)]));

  function root_width() {
    return document.documentElement.clientWidth;
  }
  function letters(item, style) {
    const picture = item.closest("svg");
    const scale = picture?.viewBox.baseVal.width ? picture.getBoundingClientRect().width / picture.viewBox.baseVal.width : 1;
    return parseFloat(style.fontSize) * scale;
  }
}

async function readWithoutScript(browser, file) {
  const context = await browser.newContext({ viewport: SIZES[1], javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(pathToFileURL(file).href, { waitUntil: "load" });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  await context.close();
  return overflow;
}

async function judge() {
  const found = await window.axe.run(document, { preload: false, resultTypes: ["violations"] });
  return found.violations.map((rule) => ({
    rule: rule.id,
    help: rule.help,
    count: rule.nodes.length,
    first: rule.nodes[0].html.slice(0, 200),
    why: rule.nodes[0].failureSummary.slice(0, 400),
  }));
}

const browser = await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"] });
for (const file of files) {
  for (const size of SIZES) {
    for (const scheme of ["light", "dark"]) {
      const seen = await visit(browser, file, size, scheme);
      if (size === SIZES[1] && scheme === "light") seen.scriptless = await readWithoutScript(browser, file);
      console.log(JSON.stringify(seen));
    }
  }
}
await browser.close();
