// A drawing is a list of strokes over one image, in the image's own measure: x from 0 (left) to 1 (right), y from 0 (top)
// to 1 (bottom), the brush's diameter as a share of the image's width. What undo takes back is a list of the states before.

const near = 0.003; // points closer than this to the last one say nothing new
let step = 0; // counts what can be undone, over all drawings
export const nextStep = () => ++step;
const round = (v) => Math.round(v * 1e4) / 1e4;

export class Drawing {
  // frame holds an img and a canvas; changed is called after each change; say tells people who do not see.
  constructor(frame, { name, changed, say, size }) {
    Object.assign(this, { frame, name, changed, say, size });
    this.strokes = [];
    this.before = [];
    this.canvas = frame.querySelector("canvas");
    this.cursor = frame.querySelector(".cursor");
    this.at = [0.5, 0.5];
    this.down = false; // the keyboard's brush
    this.stroke = null; // under way
    this.canvas.setAttribute("aria-label", `Draw on ${name}: arrow keys move the brush, Space puts it down and lifts it`);
    this.listen();
    new ResizeObserver(() => this.show()).observe(this.canvas);
  }

  listen() {
    const c = this.canvas;
    c.addEventListener("pointerdown", (e) => {
      if (!e.isPrimary || e.button !== 0) return;
      c.setPointerCapture(e.pointerId);
      c.focus({ preventScroll: true });
      this.frame.classList.remove("by-keys");
      this.say("");
      this.begin(this.place(e));
      e.preventDefault();
    });
    c.addEventListener("pointermove", (e) => {
      if (!this.stroke || !c.hasPointerCapture(e.pointerId)) return;
      for (const p of e.getCoalescedEvents?.().length ? e.getCoalescedEvents() : [e]) this.extend(this.place(p));
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) c.addEventListener(end, () => this.end());
    c.addEventListener("blur", () => this.lift());
    c.addEventListener("keydown", (e) => this.key(e));
  }

  place(e) {
    const box = this.canvas.getBoundingClientRect();
    return [round((e.clientX - box.left) / box.width), round((e.clientY - box.top) / box.height)].map((v) => Math.min(1.5, Math.max(-0.5, v)));
  }

  remember(step = nextStep()) {
    this.before.push({ step, strokes: this.strokes });
    if (this.before.length > 200) this.before.shift();
  }

  // latest is the step that undo would take back; 0: there is none.
  latest() {
    return this.before.at(-1)?.step ?? 0;
  }

  begin(point) {
    this.end();
    this.remember();
    this.stroke = { size: round(this.size()), points: [point] };
    this.strokes = [...this.strokes, this.stroke];
    this.show();
  }

  extend(point) {
    const [x, y] = this.stroke.points.at(-1);
    if (Math.hypot(point[0] - x, point[1] - y) < near) return;
    this.stroke.points.push(point);
    this.show();
  }

  end() {
    if (!this.stroke) return;
    this.stroke = null;
    this.changed();
  }

  undo() {
    this.lift();
    this.strokes = this.before.pop().strokes;
    this.show();
    this.changed();
    this.say(`Undone. ${this.count()}`);
  }

  clear(step) {
    this.lift();
    this.remember(step);
    this.strokes = [];
    this.show();
    this.changed();
  }

  restore(strokes) {
    this.strokes = strokes;
    this.show();
  }

  count() {
    const n = this.strokes.length;
    return `${n} ${n === 1 ? "stroke" : "strokes"} on ${this.name}.`;
  }

  // The brush by keys: a place that moves, and draws while it is down.
  key(e) {
    const step = e.shiftKey ? 0.1 : 0.02;
    const move = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[e.key];
    if (move && !e.ctrlKey && !e.metaKey && !e.altKey) {
      this.at = this.at.map((v, i) => round(Math.min(1, Math.max(0, v + move[i]))));
      if (this.down) this.extend(this.at);
    } else if (e.key === " ") {
      if (this.down) this.lift();
      else {
        this.begin(this.at);
        this.down = true;
      }
    } else return;
    e.preventDefault();
    this.frame.classList.add("by-keys");
    this.show();
    this.say(`Brush ${this.down ? "down" : "up"} at ${Math.round(this.at[0] * 100)} % across, ${Math.round(this.at[1] * 100)} % down.`);
  }

  lift() {
    this.down = false;
    this.end();
    this.show();
  }

  show() {
    const box = this.canvas.getBoundingClientRect();
    const scale = window.devicePixelRatio || 1;
    const [w, h] = [Math.round(box.width * scale), Math.round(box.height * scale)];
    if (!w || !h) return;
    if (this.canvas.width !== w || this.canvas.height !== h) Object.assign(this.canvas, { width: w, height: h });
    const g = this.canvas.getContext("2d");
    g.clearRect(0, 0, w, h);
    g.strokeStyle = g.fillStyle = getComputedStyle(this.canvas).color;
    g.lineCap = g.lineJoin = "round";
    for (const { size, points } of this.strokes) {
      g.lineWidth = size * w;
      g.beginPath();
      g.moveTo(points[0][0] * w, points[0][1] * h);
      for (const [x, y] of points) g.lineTo(x * w, y * h);
      g.stroke();
    }
    const c = this.cursor.style;
    c.left = `${this.at[0] * 100}%`;
    c.top = `${this.at[1] * 100}%`;
    c.width = c.height = `${this.size() * box.width}px`;
    this.cursor.classList.toggle("down", this.down);
  }
}
