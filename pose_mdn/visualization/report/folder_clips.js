/** All clips of the folder, and those of them that are shown. */
class Clips {
  constructor(description) {
    this.all = description.clips;
    this.failed = description.failed;
    this.flagNames = description.flags;
    const names = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
    // Compared once, because comparing names is far dearer than comparing numbers.
    const order = this.all.map((_, index) => index).sort((a, b) => names.compare(this.all[a].name, this.all[b].name) || a - b);
    order.forEach((index, place) => { this.all[index].order = place; });
    for (const clip of this.all) clip.words = `${clip.name}\n${clip.source}\n${clip.format}\n${clip.skeleton}`.toLowerCase();
  }

  static fromDocument() {
    const element = document.getElementById("description");
    const description = JSON.parse(element.textContent);
    element.textContent = "";
    return new this(description);
  }

  /** How many clips have each flag, and whether any of them seriously. */
  flagCounts() {
    const found = new Map(this.flagNames.map((name) => [name, { clips: 0, bad: false }]));
    for (const clip of this.all) {
      for (const [name, bad] of clip.flags) {
        const entry = found.get(name);
        entry.clips += 1;
        entry.bad ||= bad;
      }
    }
    return found;
  }

  get flagged() {
    return this.all.filter((clip) => clip.flags.length > 0).length;
  }

  total(key) {
    return this.all.reduce((sum, clip) => sum + (clip[key] ?? 0), 0);
  }

  /**
   * Clips with all the words and any of the flags, sorted; equal ones by name, unknown figures last in both directions.
   * The flag "" stands for clips with none.
   */
  chosen({ words, flags, column, descending }) {
    const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
    const hasFlag = (clip) => (clip.flags.length === 0 ? flags.has("") : clip.flags.some(([name]) => flags.has(name)));
    const kept = this.all.filter(
      (clip) => (flags.size === 0 || hasFlag(clip)) && wanted.every((word) => clip.words.includes(word)),
    );
    const sign = descending ? -1 : 1;
    const { value } = COLUMNS.find(({ key }) => key === column);
    const values = new Map(kept.map((clip) => [clip, value(clip)]));
    return kept.sort((a, b) => {
      const [x, y] = [values.get(a), values.get(b)];
      if (x === null || y === null) return (x === null) - (y === null) || a.order - b.order;
      return sign * (x - y) || a.order - b.order;
    });
  }
}
