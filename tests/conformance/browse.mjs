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
      console.log(JSON.stringify(await visit(browser, file, size, scheme)));
    }
  }
}
await browser.close();
