/** Which clips are shown, and in which order; kept in the address, so that coming back from a clip finds the same. */
class State {
  constructor(flagNames) {
    this.known = new Set([...flagNames, ""]);
    this.read();
  }

  read() {
    const given = new URLSearchParams(location.hash.slice(1));
    const [column, direction] = (given.get("sort") ?? "").split(",");
    const found = COLUMNS.find(({ key }) => key === column) ?? COLUMNS[0];
    this.words = given.get("words") ?? "";
    this.flags = new Set(given.getAll("flag").filter((name) => this.known.has(name)));
    this.column = found.key;
    this.descending = direction ? direction === "down" : found.descending;
  }

  write() {
    const given = new URLSearchParams();
    if (this.words) given.set("words", this.words);
    for (const flag of this.flags) given.append("flag", flag);
    if (this.column !== "name" || this.descending) given.set("sort", `${this.column},${this.descending ? "down" : "up"}`);
    history.replaceState(null, "", `#${given}`);
  }

  /** A column is sorted by its worst first; chosen again, the other way round. */
  sortBy(key) {
    const { descending } = COLUMNS.find((column) => column.key === key);
    this.descending = this.column === key ? !this.descending : descending;
    this.column = key;
  }

  toggle(flag) {
    if (!this.flags.delete(flag)) this.flags.add(flag);
  }

  reset() {
    this.words = "";
    this.flags.clear();
  }
}
