// Firefox, driven as a person drives it: a visit is a line of JSON on standard input, what was read a line on standard
// output. Playwright needs a Firefox of its own build; this one is the system's, by WebDriver BiDi.

import { createInterface } from "node:readline";
import puppeteer from "puppeteer-core";

const [executablePath] = process.argv.slice(2);
const browser = await puppeteer.launch({ browser: "firefox", executablePath, headless: true });

const DO = {
  press: (page, key) => page.keyboard.press(key),
  type: (page, text) => page.keyboard.type(text),
  click: (page, at) => page.click(at),
  hover: (page, at) => page.hover(at),
  focus: (page, at) => page.focus(at),
  // All that stood there is replaced, key by key.
  async fill(page, at, text) {
    await page.focus(at);
    await page.$eval(at, (input) => input.select());
    await page.keyboard.type(String(text));
  },
  wheel: (page, x, y) => page.mouse.wheel({ deltaX: x, deltaY: y }),
  hold: (page, key) => page.keyboard.down(key),
  release: (page, key) => page.keyboard.up(key),
  async drag(page, x, y, byX, byY) {
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x + byX, y + byY, { steps: 4 });
    await page.mouse.up();
  },
  screenshot: (page, path) => page.screenshot({ path }),
  text: (page, at) => page.$eval(at, (e) => e.textContent),
  texts: (page, at) => page.$$eval(at, (all) => all.map((e) => e.textContent)),
  read: (page, expression) => page.evaluate(expression), // JavaScript, for what no action above tells
};
const TELLS = ["text", "texts", "read"];

async function visit({ url, width, height, actions }) {
  const page = await browser.newPage(), faults = [], found = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  page.on("request", (request) => request.url() !== url && !request.url().startsWith("data:") && faults.push(request.url()));
  await page.setViewport({ width, height });
  await page.goto(url);
  for (const [name, ...given] of actions) {
    const told = await DO[name](page, ...given);
    if (TELLS.includes(name)) found.push(told ?? null);
  }
  await page.close();
  return { found, faults };
}

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await visit(JSON.parse(line)).catch((error) => ({ error: String(error) }));
  console.log(JSON.stringify(answer));
}
await browser.close();
