/** `URLSearchParams` as the web has it. */

const SAFE = /[A-Za-z0-9*\-._]/

export function encodeForm(text: string): string {
  let out = ''
  for (const letter of text) {
    if (letter === ' ') out += '+'
    else if (SAFE.test(letter)) out += letter
    else out += percent(letter)
  }
  return out
}

/** The UTF-8 of one character, `%` and two digits a byte; half of a pair becomes U+FFFD. */
export function percent(letter: string): string {
  const whole = /[\ud800-\udfff]/.test(letter) && letter.length === 1 ? '\ufffd' : letter
  const encoded = encodeURIComponent(whole)
  if (encoded.startsWith('%')) return encoded
  return `%${whole.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
}

function decodeForm(text: string): string {
  return decodePercent(text.replaceAll('+', ' '))
}

/** Bytes that are no UTF-8 become U+FFFD. */
export function decodePercent(text: string): string {
  return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) => {
    try {
      return decodeURIComponent(run)
    } catch {
      const bytes = Uint8Array.from(run.slice(1).split('%'), (digits) => Number.parseInt(digits, 16))
      const { TextDecoder } = globalThis as unknown as { TextDecoder: new () => { decode(bytes: Uint8Array): string } }
      return new TextDecoder().decode(bytes)
    }
  })
}

type Pair = [name: string, value: string]
export type QueryInit = string | Iterable<readonly [unknown, unknown]> | Record<string, unknown>

export class URLSearchParams {
  #pairs: Pair[]
  #changed: (text: string) => void = () => {}

  constructor(init: QueryInit = '') {
    if (typeof init === 'object' && init !== null) {
      const pairs =
        Symbol.iterator in init ? [...(init as Iterable<readonly [unknown, unknown]>)] : Object.entries(init)
      this.#pairs = pairs.map(([name, value]) => [String(name), String(value)])
    } else this.#pairs = parseQuery(String(init))
  }

  /** For `URL`, which follows what is changed here. */
  static bound(query: string, changed: (text: string) => void): URLSearchParams {
    const made = new URLSearchParams(query)
    made.#changed = changed
    return made
  }

  /** For `URL`, whose query was set. */
  static reset(of: URLSearchParams, query: string): void {
    of.#pairs = parseQuery(query)
  }

  get size(): number {
    return this.#pairs.length
  }

  append(name: unknown, value: unknown): void {
    this.#pairs.push([String(name), String(value)])
    this.#tell()
  }

  delete(name: unknown, value?: unknown): void {
    this.#pairs = this.#pairs.filter(
      ([key, one]) => key !== String(name) || (value !== undefined && one !== String(value)),
    )
    this.#tell()
  }

  get(name: unknown): string | null {
    return this.#pairs.find(([key]) => key === String(name))?.[1] ?? null
  }

  getAll(name: unknown): string[] {
    return this.#pairs.filter(([key]) => key === String(name)).map(([, value]) => value)
  }

  has(name: unknown, value?: unknown): boolean {
    return this.#pairs.some(([key, one]) => key === String(name) && (value === undefined || one === String(value)))
  }

  set(name: unknown, value: unknown): void {
    const key = String(name)
    const first = this.#pairs.findIndex(([one]) => one === key)
    if (first < 0) this.#pairs.push([key, String(value)])
    else {
      this.#pairs[first] = [key, String(value)]
      this.#pairs = this.#pairs.filter(([one], index) => one !== key || index === first)
    }
    this.#tell()
  }

  sort(): void {
    this.#pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    this.#tell()
  }

  forEach(visit: (value: string, name: string, of: URLSearchParams) => void): void {
    for (const [name, value] of this.#pairs) visit(value, name, this)
  }

  *entries(): Generator<Pair> {
    for (const [name, value] of this.#pairs) yield [name, value]
  }

  *keys(): Generator<string> {
    for (const [name] of this.#pairs) yield name
  }

  *values(): Generator<string> {
    for (const [, value] of this.#pairs) yield value
  }

  [Symbol.iterator](): Generator<Pair> {
    return this.entries()
  }

  toString(): string {
    return this.#pairs.map(([name, value]) => `${encodeForm(name)}=${encodeForm(value)}`).join('&')
  }

  #tell(): void {
    this.#changed(this.toString())
  }
}

function parseQuery(query: string): Pair[] {
  const text = query.startsWith('?') ? query.slice(1) : query
  return text
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const at = part.indexOf('=')
      return at < 0 ? [decodeForm(part), ''] : [decodeForm(part.slice(0, at)), decodeForm(part.slice(at + 1))]
    })
}
