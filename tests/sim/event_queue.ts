/**
 * Virtual time: a queue of events by time and, at the same time, by order of entry.
 *
 * @module
 */

/** A binary heap of events. */
export class EventQueue<Event> {
  #times = new Float64Array(1024);
  #orders = new Float64Array(1024);
  /** Where each event is: numbers move about in the heap more cheaply than objects. */
  #places = new Int32Array(1024);
  readonly #events: (Event | undefined)[] = [];
  readonly #free: number[] = [];
  #size = 0;
  #entered = 0;

  /** Events in the queue. */
  get size(): number {
    return this.#size;
  }

  /** Time of the first event, Infinity if there is none. */
  get nextTime(): number {
    return this.#size === 0 ? Infinity : this.#times[0] as number;
  }

  /** Puts an event in. */
  push(time: number, event: Event): void {
    if (this.#size === this.#times.length) this.#grow();
    let i = this.#size++;
    const order = this.#entered++;
    const place = this.#free.pop() ?? this.#events.length;
    this.#events[place] = event;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if ((this.#times[parent] as number) <= time) break;
      this.#move(parent, i);
      i = parent;
    }
    this.#times[i] = time;
    this.#orders[i] = order;
    this.#places[i] = place;
  }

  /** Takes the first event out; the queue must not be empty. */
  pop(): Event {
    const first = this.#places[0] as number;
    const result = this.#events[first] as Event;
    this.#events[first] = undefined;
    this.#free.push(first);
    const last = --this.#size;
    const time = this.#times[last] as number;
    const order = this.#orders[last] as number;
    const place = this.#places[last] as number;
    if (last > 0) {
      let i = 0;
      for (let child = 1; child < last; child = 2 * i + 1) {
        if (child + 1 < last && this.#before(child + 1, child)) child++;
        const t = this.#times[child] as number;
        const later = time < t ||
          (time === t && order < (this.#orders[child] as number));
        if (later) break;
        this.#move(child, i);
        i = child;
      }
      this.#times[i] = time;
      this.#orders[i] = order;
      this.#places[i] = place;
    }
    return result;
  }

  #before(a: number, b: number): boolean {
    const [ta, tb] = [this.#times[a] as number, this.#times[b] as number];
    if (ta !== tb) return ta < tb;
    return (this.#orders[a] as number) < (this.#orders[b] as number);
  }

  #move(from: number, to: number): void {
    this.#times[to] = this.#times[from] as number;
    this.#orders[to] = this.#orders[from] as number;
    this.#places[to] = this.#places[from] as number;
  }

  #grow(): void {
    const times = new Float64Array(this.#times.length * 2);
    const orders = new Float64Array(times.length);
    const places = new Int32Array(times.length);
    times.set(this.#times);
    orders.set(this.#orders);
    places.set(this.#places);
    this.#times = times;
    this.#orders = orders;
    this.#places = places;
  }
}
