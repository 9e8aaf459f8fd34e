/** The source of a module with state, for tests that need one method more: it hands its one figure over. */

export interface Stateful {
  version(): number
  add(): number
  get(): number
}

/** `more` is the rest of the class; it may use `this.k` (the kernel) and `this.n` (the state). */
export const stateful = (more = '', version = 1): string => `
export class Module {
  n = 0
  k: any
  constructor(k: any) { this.k = k }
  version() { return ${version} }
  add() { return ++this.n }
  get() { return this.n }
  handOver() { return this.n }
  takeOver(n: number) { this.n = n }
  ${more}
}`
