/**
 * What one wave of the file storm does to a thousand config files, and what has to come of it. Every file is a slot;
 * half of the slots get a file that cannot be used, each in one of a dozen ways, the others a valid one, saved as real
 * programs do; a few are removed, moved, linked or switched off. Seeded, so that a wave can be repeated.
 */
import type { Random } from './load.ts'

export interface Slot {
  n: number
  /** under configs/, without the ending: also the name of the service */
  api: string
  /** undefined: no file stands there */
  wanted: 'valid' | { code: string } | undefined
  /** the value of the last valid file of this name */
  good: number | undefined
  /** calls to it may not fail in this wave */
  steady: boolean
}

export interface Op {
  do: 'write' | 'append' | 'replace' | 'link' | 'move' | 'remove'
  /** from the root */
  path: string
  text?: string
  to?: string
}

const FOLDERS = 20

export const createSlots = (count: number): Slot[] =>
  Array.from({ length: count }, (_, n) => ({
    n,
    api: `g${n % FOLDERS}/s${n}`,
    wanted: 'valid' as const,
    good: n,
    steady: true,
  }))

export const fileOf = (slot: Slot): string => `configs/${slot.api}.yml`

export const validText = (value: number): string => `prog: probe\nvalue: ${value}\nlist: [1, 2,\n  3]\nmore: text\n`

const BOMB = `a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n${'bcdefg'
  .split('')
  .map((name, at) => `${name}: &${name} [${`*${'abcdef'.charAt(at)}, `.repeat(10)}]`)
  .join('\n')}\n`

/** Each with the code it has to be refused with. */
const INVALID: readonly [code: string, text: (value: number) => string][] = [
  ['config_syntax', (value) => `prog: probe\nvalue: [${value}\n`],
  ['config_syntax', (value) => `prog: probe\nvalue: ${value}\nlist:\n\t- 1\n`],
  ['config_syntax', (value) => `prog: probe\nvalue: ${value}\nvalue: ${value}\n`],
  ['config_syntax', (value) => `prog: probe\nvalue: ${value}\ntext: "\0\0\0"\n`],
  ['config_syntax', (value) => `prog: probe\nvalue: ${value}\nnest: ${'['.repeat(300)}\n`],
  ['config_too_large', (value) => `prog: probe\nvalue: ${value}\n${BOMB}`],
  ['config_not_map', (value) => `- prog: probe\n- value: ${value}\n`],
  ['config_key', (value) => `prog: probe\nvalue: ${value}\nneeds: 5\n`],
  ['config_key', (value) => `prog: probe\nvalue: ${value}\n__proto__: {polluted: true}\n`],
  ['config_invalid', () => 'prog: probe\nvalue: text\n'],
  ['prog_not_found', (value) => `prog: nowhere\nvalue: ${value}\n`],
]

const pick = <T>(list: readonly T[], chance: Random): T => list[chance.between(0, list.length - 1)] as T

/** The first of them at once, the second when all other files are written: until then the file is half there. */
type Save = (path: string, text: string, slot: Slot, chance: Random) => [now: Op[], later: Op[]]

const inParts: Save = (path, text, _slot, chance) => {
  // Not within a number: half of it is one too, and whoever waits too long with the rest means it.
  const cut = chance.between(0, text.length)
  const at = /\d$/.test(text.slice(0, cut)) ? text.indexOf('\n', cut) : cut
  return [[{ do: 'write', path, text: text.slice(0, at) }], [{ do: 'append', path, text: text.slice(at) }]]
}

const SAVES: readonly Save[] = [
  (path, text) => [[{ do: 'write', path, text }], []],
  (path, text) => [[{ do: 'replace', path, text }], []],
  inParts,
  (path, text, { n }) => [
    [
      { do: 'write', path: `store/s${n}.yml`, text },
      { do: 'link', path, to: `../../store/s${n}.yml` },
    ],
    [],
  ],
]

/** What editors and people leave beside it, and take away again. */
const noise = (path: string): [Op[], Op[]] => {
  const [folder, name] = [path.slice(0, path.lastIndexOf('/')), path.slice(path.lastIndexOf('/') + 1)]
  const beside = [`${folder}/.#${name}`, `${folder}/4913`, `${path}~`, `${folder}/.${name}.swp`]
  const made: Op[] = beside.map((one, at) =>
    at === 0 ? { do: 'link', path: one, to: 'somebody@somewhere.1' } : { do: 'write', path: one, text: 'value: [' },
  )
  return [made, beside.map((one) => ({ do: 'remove', path: one }))]
}

export interface WavePlan {
  ops: Op[]
  /** slot → what its new value is, when it has one */
  values: Map<number, number>
}

/** Changes the slots to what they have to become. */
export function planWave(slots: readonly Slot[], wave: number, chance: Random): WavePlan {
  const [now, later]: [Op[], Op[]] = [[], []]
  const values = new Map<number, number>()
  for (const slot of slots) {
    const value = wave * slots.length + slot.n
    const [first, second] = planSlot(slot, wave, value, chance)
    if (slot.wanted === 'valid') values.set(slot.n, slot.good ?? value)
    now.push(...first)
    later.push(...second)
    if (chance.next() < 0.05) {
      const [made, taken] = noise(fileOf(slot))
      now.push(...made)
      later.push(...taken)
    }
  }
  shuffle(later, chance)
  return { ops: [...inOrder(now, chance), ...later], values }
}

function planSlot(slot: Slot, wave: number, value: number, chance: Random): [Op[], Op[]] {
  const path = fileOf(slot)
  slot.steady = slot.good !== undefined
  // What stood there may be a link into nowhere or into itself: a save through it would be no save.
  const clear: Op[] = slot.wanted === 'valid' ? [] : [{ do: 'remove', path }]
  const which = chance.next()
  if (which < 0.02) return leave(slot, [{ do: 'remove', path }])
  if (which < 0.03) return leave(slot, [{ do: 'link', path, to: 'nowhere.yml' }])
  if (which < 0.04 && slot.wanted === 'valid') {
    return leave(slot, [{ do: 'move', path, to: path.replace(/s(\d+)[^/]*$/, '.s$1.yml') }])
  }
  if (which < 0.06 && slot.wanted === 'valid') return rename(slot, path, wave)
  if (which < 0.5) {
    slot.wanted = 'valid'
    slot.good = value
    const [first, second] = pick(SAVES, chance)(path, validText(value), slot, chance)
    return [[...clear, ...first], second]
  }
  if (which < 0.52) {
    slot.wanted = { code: 'config_unreadable' }
    return [[{ do: 'link', path, to: path.slice(path.lastIndexOf('/') + 1) }], []]
  }
  const [code, text] = pick(INVALID, chance)
  slot.wanted = { code }
  return [
    [
      { do: 'remove', path: `${path}.draft~` },
      { do: 'replace', path, text: text(value) },
    ],
    [],
  ]
}

function leave(slot: Slot, ops: Op[]): [Op[], Op[]] {
  slot.wanted = undefined
  slot.good = undefined
  slot.steady = false
  return [ops, []]
}

function rename(slot: Slot, path: string, wave: number): [Op[], Op[]] {
  slot.api = slot.api.replace(/s(\d+).*$/, `s$1w${wave}`)
  slot.steady = false
  return [[{ do: 'move', path, to: fileOf(slot) }], []]
}

/** Shuffled by slot: what is done to one file stays in its order. */
function inOrder(ops: Op[], chance: Random): Op[] {
  const groups = new Map<string, Op[]>()
  for (const op of ops) {
    const key = /s(\d+)/.exec(op.path)?.[1] ?? op.path
    groups.set(key, [...(groups.get(key) ?? []), op])
  }
  const all = [...groups.values()]
  shuffle(all, chance)
  return all.flat()
}

function shuffle(list: unknown[], chance: Random): void {
  for (let at = list.length - 1; at > 0; at--) {
    const other = chance.between(0, at)
    ;[list[at], list[other]] = [list[other], list[at]]
  }
}
