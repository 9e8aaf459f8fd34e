/** A module that fails again and again, at the place it is told to. Used by R10 at the gate and by bench/breaker.ts. */
export type Failing = 'import' | 'constructor' | 'init' | 'run'

export const WAITS = "await new Promise((resolve) => signal.addEventListener('abort', resolve))"

/** Fails where it is told to from its `from`-th start on; before that it starts, and its work fails a little later. */
export const failing = (where: Failing, from: number): string => {
  const fail = (place: string): string =>
    place === where ? `if (starts >= ${from}) throw new Error('fails at ${where}')` : ''
  return `
const starts = (globalThis.${where}Starts = (globalThis.${where}Starts ?? 0) + 1)
${fail('import')}
export class Module {
  constructor() { ${fail('constructor')} }
  init() { ${fail('init')} }
  async run(signal) {
    ${fail('run')}
    if (starts < ${from}) throw new Error('its work fails')
    ${WAITS}
  }
  starts() { return starts }
}`
}
