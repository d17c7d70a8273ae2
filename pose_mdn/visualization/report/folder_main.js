/** The controls of the page, and what they change. */

const clips = Clips.fromDocument();
const state = new State(clips.flagNames);
const $ = (id) => document.getElementById(id);
const rows = new Rows($("rows"), $("end"));

function showTotals() {
  const fact = (text, className = "") => element("li", { textContent: text, className });
  const seconds = clips.total("duration");
  $("totals").append(
    fact(`${count(clips.all.length)} ${clips.all.length === 1 ? "clip" : "clips"}`),
    fact(`${count(clips.total("lifted"))} poses`),
    ...(seconds ? [fact(duration(seconds))] : []),
    ...(clips.flagged ? [fact(`${count(clips.flagged)} flagged`, "warning")] : []),
    ...(clips.failed.length ? [fact(`${count(clips.failed.length)} failed`, "failures")] : []),
  );
}

function makeColumns() {
  for (const { key, title } of COLUMNS) {
    const button = element("button", { type: "button", textContent: title });
    button.addEventListener("click", () => { state.sortBy(key); update(); });
    const head = element("th", { scope: "col" }, button);
    head.dataset.column = key;
    $("columns").append(head);
    $("sort").append(element("option", { value: key, textContent: title }));
  }
  $("sort").addEventListener("change", () => { state.sortBy($("sort").value); update(); });
  $("direction").addEventListener("click", () => { state.descending = !state.descending; update(); });
}

function makeChips() {
  const chip = (flag, text, number, kind) => {
    const button = element("button", { type: "button", className: kind });
    button.dataset.flag = flag;
    button.append(element("i"), text, element("b", { textContent: count(number) }));
    button.addEventListener("click", () => { state.toggle(flag); update(); });
    return button;
  };
  for (const [name, { clips: number, bad }] of clips.flagCounts()) {
    if (number) $("flags").append(chip(name, name, number, bad ? "bad" : "warn"));
  }
  const clean = clips.all.length - clips.flagged;
  if (clips.flagged && clean) $("flags").append(chip("", "no flag", clean, "good"));
}

function update() {
  state.write();
  const chosen = clips.chosen(state);
  rows.show(chosen);
  for (const head of $("columns").children) {
    if (head.dataset.column === state.column) head.ariaSort = state.descending ? "descending" : "ascending";
    else head.removeAttribute("aria-sort");
  }
  for (const button of $("flags").children) button.ariaPressed = state.flags.has(button.dataset.flag);
  $("sort").value = state.column;
  if ($("search").value !== state.words) $("search").value = state.words;
  $("nothing").hidden = chosen.length > 0;
  $("clips").hidden = chosen.length === 0;
  $("shown").textContent = chosen.length === clips.all.length ? "" : `${count(chosen.length)} of ${count(clips.all.length)}`;
}

function reset() {
  state.reset();
  update();
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    // A flag's text, shown because the flag is in focus, goes first.
    if (document.activeElement?.classList.contains("flag")) document.activeElement.blur();
    else reset();
  } else if (event.key === "/" && !["INPUT", "SELECT"].includes(document.activeElement?.tagName)) {
    event.preventDefault();
    $("search").focus();
  }
});
$("search").addEventListener("input", () => { state.words = $("search").value; update(); });
$("reset").addEventListener("click", reset);
window.addEventListener("hashchange", () => { state.read(); update(); });

// The heads of the columns stay in sight beneath the tools, however many lines these take.
const tools = document.querySelector(".tools");
new ResizeObserver(() => document.documentElement.style.setProperty("--tools", `${tools.offsetHeight}px`)).observe(tools);

showTotals();
showFailed(clips.failed);
makeColumns();
makeChips();
update();
document.documentElement.dataset.ready = "";
