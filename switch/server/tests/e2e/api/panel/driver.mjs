// A browser that a test in Rust drives: one command a line of standard input, one answer a line of standard
// output, both JSON. It decides nothing: what is right is for the test to say.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(process.env.PACKAGES + "/node_modules/");
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core"), "utf8");

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
});

// One context a person: cookies of their own. What the console says is collected until it is asked for.
const people = new Map();
async function person(name) {
  if (!people.has(name)) {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, acceptDownloads: true });
    const page = await context.newPage();
    const said = [];
    page.on("console", (message) => { if (message.type() === "error") said.push(message.text()); });
    page.on("pageerror", (error) => said.push(String(error)));
    people.set(name, { context, page, said });
  }
  return people.get(name);
}

const acts = {
  async goto({ page }, { url }) { const answer = await page.goto(url); return { status: answer?.status() ?? 0 }; },
  async fill({ page }, { label, value }) { await page.getByLabel(label, { exact: true }).fill(value); return {}; },
  async choose({ page }, { label, value }) { await page.getByLabel(label, { exact: true }).selectOption(value); return {}; },
  // What is clicked here leads somewhere.
  async click({ page }, { role, name }) {
    const arrived = page.waitForNavigation({ waitUntil: "load" });
    await page.getByRole(role, { name, exact: true }).first().click();
    await arrived;
    return {};
  },
  async arrives({ page }, { url }) { await page.waitForURL(url); return {}; },
  async keys({ page }, { press }) { for (const key of press) await page.keyboard.press(key); return {}; },
  async text({ page }) {
    return { url: page.url(), title: await page.title(), text: await page.locator("body").innerText() };
  },
  async waits({ page }, { text }) { await page.getByText(text).first().waitFor({ timeout: 30_000 }); return {}; },
  async focused({ page }) {
    return { focused: await page.evaluate(() => (document.activeElement?.textContent ?? "").trim()) };
  },
  async size({ page }, { width, height }) { await page.setViewportSize({ width, height }); return {}; },
  async scheme({ page }, { dark }) { await page.emulateMedia({ colorScheme: dark ? "dark" : "light" }); return {}; },
  async overflow({ page }) {
    return { by: await page.evaluate(() => document.documentElement.scrollWidth - innerWidth) };
  },
  async picture({ page }, { path }) { await page.screenshot({ path, fullPage: true }); return {}; },
  async download({ page }, { name }) {
    const [download] = await Promise.all([page.waitForEvent("download"),
      page.getByRole("link", { name, exact: true }).first().click()]);
    return { name: download.suggestedFilename(), text: readFileSync(await download.path(), "utf8") };
  },
  // The page's own rules forbid scripts of others: axe runs in the world of the driver.
  async violations({ page }) {
    await page.evaluate(axe + "; undefined");
    const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
    const grave = found.violations.filter((one) => ["serious", "critical"].includes(one.impact));
    return { found: grave.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(" | ")}`) };
  },
  async post({ context, page }, { url, form, headers }) {
    const answer = await context.request.post(url, { form, headers, maxRedirects: 0 });
    return { status: answer.status(), text: await answer.text(), at: page.url() };
  },
  async cookies({ context }) { return { cookies: await context.cookies() }; },
  async said({ said }) { return { said: said.splice(0) }; },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { act, who, ...rest } = JSON.parse(line);
  let answer;
  try {
    answer = await acts[act](await person(who), rest);
  } catch (error) {
    answer = { failed: `${act} ${JSON.stringify(rest)}: ${error}` };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
await browser.close();
