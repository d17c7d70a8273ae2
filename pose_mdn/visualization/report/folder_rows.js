/** The body of the table. Rows are made as they come near to the window, so that thousands of clips open at once. */

const FIRST_ROWS = 40;
const LONG_LIST = 200;

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

class Rows {
  constructor(body, end) {
    this.body = body;
    this.end = end;
    this.clips = [];
    this.count = 0;
    this.observer = new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting)) this.grow(); },
      { rootMargin: "1200px" });
  }

  show(clips) {
    this.clips = clips;
    this.count = 0;
    this.body.replaceChildren();
    this.append(FIRST_ROWS);
    this.observer.disconnect();
    this.observer.observe(this.end);
  }

  /** More and more at a time, so that who scrolls far waits seldom. */
  grow() {
    if (this.count >= this.clips.length) return;
    this.append(Math.min(400, Math.max(FIRST_ROWS, this.count)));
    // Observing anew reports again if the end is still near.
    this.observer.unobserve(this.end);
    this.observer.observe(this.end);
  }

  append(more) {
    const next = this.clips.slice(this.count, this.count + more);
    this.count += next.length;
    this.body.append(...next.map((clip) => this.row(clip)));
  }

  row(clip) {
    const cells = COLUMNS.map((column) => {
      if (column.key === "name") return this.nameCell(clip);
      if (column.key === "flags") return this.flagsCell(clip);
      return this.figureCell(clip, column);
    });
    return element("tr", {}, ...cells);
  }

  nameCell(clip) {
    const cell = element("th", { scope: "row", className: "clip" });
    const name = element(clip.viewer ? "a" : "span", { className: "name", textContent: clip.name });
    if (clip.viewer) name.setAttribute("href", clip.viewer);
    const picture = element("span", { className: "picture" });
    if (clip.thumbnail) {
      picture.append(element("img", {
        alt: "", decoding: "async", width: 216, height: 48,
        src: `data:image/svg+xml,${encodeURIComponent(clip.thumbnail)}`,
      }));
    }
    const origin = [clip.format, clip.skeleton, clip.source].filter(Boolean).join(" · ");
    const about = element("span", { className: "origin", textContent: origin, title: `${clip.source}\nresult: ${clip.result}` });
    cell.append(picture, element("span", { className: "words" }, name, about));
    return cell;
  }

  figureCell(clip, column) {
    const flag = clip.flags.find(([name]) => column.flags?.includes(name));
    const cell = element("td", { className: flag ? (flag[1] ? "bad" : "warn") : "" });
    cell.dataset.title = column.title;
    cell.append(element("span", { textContent: column.text(clip), title: column.note?.(clip) ?? "" }));
    const more = column.more?.(clip);
    if (more) cell.append(" ", element("small", { textContent: more }));
    return cell;
  }

  flagsCell(clip) {
    const cell = element("td", { className: "flags" });
    for (const [name, bad, text] of clip.flags) {
      const flag = element("span", { className: `flag ${bad ? "bad" : "warn"}`, tabIndex: 0 });
      flag.append(element("span", { textContent: name }), element("span", { className: "tip", role: "tooltip", textContent: text }));
      cell.append(flag);
    }
    if (clip.flags.length === 0) cell.append(element("span", { className: "fine", textContent: "no flag" }));
    return cell;
  }
}

/** Inputs that could not be lifted; a long list is shown in full on demand. */
function showFailed(failed) {
  if (failed.length === 0) return;
  const list = document.getElementById("failed-list");
  const item = ([source, reason]) => {
    // Most reasons begin with the name, which stands beside them.
    const rest = reason.startsWith(`${source}: `) ? reason.slice(source.length + 2) : reason;
    return element("li", {}, element("b", { textContent: source }), element("span", { textContent: rest }));
  };
  document.getElementById("failed").hidden = false;
  document.getElementById("failed").open = failed.length <= 3;
  document.getElementById("failed-title").textContent =
    `${count(failed.length)} ${failed.length === 1 ? "input" : "inputs"} could not be lifted`;
  list.append(...failed.slice(0, LONG_LIST).map(item));
  if (failed.length <= LONG_LIST) return;
  const button = element("button", { type: "button", textContent: `Show all ${count(failed.length)}` });
  button.addEventListener("click", () => list.replaceChildren(...failed.map(item)));
  list.append(element("li", {}, button));
}
