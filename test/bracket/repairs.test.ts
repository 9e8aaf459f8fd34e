/**
 * What models write instead of the protocol is understood, each time with a warning; what cannot be known is an error
 * with its place. Measured over real calls, damaged on purpose: how many are saved, and that none is changed in silence.
 */
import { describe, expect, it } from 'vitest'
import { fence, printCall, scan, type CallPart, type Part } from '../../modules/bracket/index.ts'
import { sampleCalls, type SampleCall } from '../support/bracket-messages.ts'
import { random } from '../support/load.ts'

const calls = sampleCalls()
const read = (text: string): Part[] => scan(text, { repair: true })
const callsIn = (parts: readonly Part[]): CallPart[] => parts.filter((part): part is CallPart => part.kind === 'call')

type Damage = (call: SampleCall, printed: string) => string

/** Removes or puts in a sign where the printed call has one outside of its strings. */
function at(printed: string, sign: string, edit: (before: string, after: string) => string, seed: number): string {
  const places: number[] = []
  let quoted = false
  for (let index = 0; index < printed.length; index++) {
    const char = printed[index]
    if (quoted && char === '\\') index++
    else if (char === '"') quoted = !quoted
    else if (!quoted && char === sign && index > 0) places.push(index)
  }
  const place = places[random(seed).between(0, Math.max(0, places.length - 1))]
  return place === undefined ? printed : edit(printed.slice(0, place), printed.slice(place + 1))
}

const json = ({ name, params }: SampleCall): string => JSON.stringify({ name, arguments: params })
const inFence = (block: string): string => `\`\`\`tool\n${block}\n\`\`\`\n`

/** Damage of which nearly everything can be read. */
const ENVELOPE: [what: string, damage: Damage][] = [
  ['a fence called json', (_call, printed) => `\`\`\`json\n${printed}\n\`\`\`\n`],
  ['a fence without a name', (_call, printed) => `\`\`\`\n${printed}\n\`\`\``],
  ['no fence', (_call, printed) => `I call it:\n\n${printed}\n`],
  ['a fence behind text', (_call, printed) => `I call it: \`\`\`tool\n${printed}\n\`\`\``],
  ['text around the fence', (_call, printed) => `Sure.\n\n${inFence(printed)}\nThat will do.`],
  ['text in the fence', (_call, printed) => inFence(`Now the call:\n${printed}\nDone.`)],
  ['JSON of another protocol', (call) => inFence(json(call))],
  ['JSON of another protocol in a fence of its own', (call) => `\`\`\`json\n${json(call)}\n\`\`\``],
  ['a list of them', (call) => inFence(`[${json(call)}]`)],
  ['arguments as text', ({ name, params }) => inFence(JSON.stringify({ name, arguments: JSON.stringify(params) }))],
  ['a function around it', (call) => inFence(`{"type": "function", "id": "c1", "function": ${json(call)}}`)],
  ['the last brace is missing', (_call, printed) => inFence(printed.slice(0, -1))],
  ['all braces at the end are missing', (_call, printed) => inFence(printed.replace(/\}+$/, ''))],
  ['a brace too many', (_call, printed) => inFence(`${printed}}`)],
  ['an equals sign', (_call, printed) => inFence(at(printed, ':', (a, b) => `${a} =${b}`, printed.length))],
  ['no params', (_call, printed) => inFence(printed.replace('{params ', '').replace(/\}$/, ''))],
  ['a comma at the end', (_call, printed) => inFence(printed.replace(/\}\}\}$/, ',}}}'))],
  ['one brace for all', ({ name, params }) => inFence(`{call: ${name}, params: ${JSON.stringify(params)}}`)],
]

const isSame = (part: CallPart | undefined, { name, params }: SampleCall): boolean =>
  part?.name === name && JSON.stringify(part.params) === JSON.stringify(params)

describe('the envelope', () => {
  it.each(ENVELOPE)('%s', (_what, damage) => {
    let saved = 0
    const silent: string[] = []
    for (const call of calls) {
      const text = damage(call, printCall(call.name, call.params))
      const parts = read(text)
      const [part, ...more] = callsIn(parts)
      if (isSame(part, call) && more.length === 0) saved++
      else if (parts.every((one) => one.kind === 'text' || (one.kind === 'call' && one.warnings === undefined)))
        silent.push(text)
    }
    expect(silent).toEqual([])
    expect(saved / calls.length).toBeGreaterThanOrEqual(0.99)
  })
})

/** Damage of which something is saved, and the rest is told. */
const INSIDE: [what: string, damage: Damage][] = [
  ['a missing colon', (_call, printed) => inFence(at(printed, ':', (a, b) => a + b, printed.length))],
  ['a brace that is missing anywhere', (_call, printed) => inFence(at(printed, '}', (a, b) => a + b, printed.length))],
  ['a brace too many anywhere', (_call, printed) => inFence(at(printed, '}', (a, b) => `${a}}}${b}`, printed.length))],
  ['escaped underscores', (_call, printed) => inFence(at(printed, '_', (a, b) => `${a}\\_${b}`, printed.length))],
]

describe('inside the call', () => {
  it.each(INSIDE)('%s', (_what, damage) => {
    const silent: string[] = []
    for (const call of calls) {
      const printed = printCall(call.name, call.params)
      const text = damage(call, printed)
      if (text === inFence(printed)) continue
      const parts = read(text)
      const [part] = callsIn(parts)
      const isTold = parts.some(
        (one) => one.kind === 'error' || one.kind === 'warning' || (one.kind === 'call' && one.warnings !== undefined),
      )
      if (!isSame(part, call) && !isTold) silent.push(text)
    }
    expect(silent).toEqual([])
  })
})

describe('never guessed', () => {
  const strings = calls.filter(({ params }) => JSON.stringify(params).length > 30)

  it('a message that was cut off is a located error, wherever it was cut', () => {
    for (const [index, call] of strings.entries()) {
      const printed = printCall(call.name, call.params)
      const cut = printed.slice(0, random(index).between(1, printed.length - 1))
      const parts = read(`\`\`\`tool\n${cut}`)
      expect({ cut, calls: callsIn(parts) }).toEqual({ cut, calls: [] })
      const [error] = parts.flatMap((part) => (part.kind === 'error' ? [part.error] : []))
      expect(parts).toHaveLength(1)
      expect(`\n${cut}`.split('\n')[(error?.line ?? 0) - 1]).toContain(error?.excerpt ?? 'no error')
    }
  })

  it('a quote inside a string is a located error, and nothing of that call runs', () => {
    let tried = 0
    for (const call of calls) {
      const printed = printCall(call.name, call.params)
      const text = printed.replace(/"(\w+) (\w+)/, '"$1 "$2')
      if (text === printed) continue
      tried++
      const parts = read(inFence(text))
      expect({ text, calls: callsIn(parts) }).toEqual({ text, calls: [] })
      expect(parts.find((part) => part.kind === 'error')).toMatchObject({
        error: { code: 'quote_inside_string', line: 2 },
      })
    }
    expect(tried).toBeGreaterThan(50)
  })
})

describe('what is not a call stays text', () => {
  const OTHERS = [
    '```json\n{"name": "meta-machine", "version": "0.1.0"}\n```\n',
    '```json\n{"name": "x", "arguments": {"a": 1}, "more": true}\n```\n',
    '```ts\nconst call = { a: 1 }\n```\n',
    '```\n{\n  "id": 5\n}\n```\nand so on',
    'Use ```tool fences``` for calls.\n',
    'A call looks like `{call: name {params {a: 1}}}`.\n',
    'Write {call: name} in a fence.\n',
  ]
  it.each(OTHERS)('%s', (text) => {
    expect(read(text)).toEqual([{ kind: 'text', text }])
  })
})

it('a good call among bad ones runs, and the bad ones are told', () => {
  const parts = read(inFence('{call: a {params {x: 1}}}\n{call: b {params {x: "1"2}}}\n{call: c {params {x: 3}}}'))
  expect(parts.map((part) => (part.kind === 'call' ? part.name : part.kind))).toEqual(['a', 'error', 'c'])
})

it('each repair names itself and its place', () => {
  const codes = (text: string): string[] =>
    read(text).flatMap((part) => {
      if (part.kind === 'warning') return [part.warning.code]
      return part.kind === 'call' ? (part.warnings?.map(({ code }) => code) ?? []) : []
    })
  expect(codes('```json\n{call: t}\n```')).toEqual(['fence_label'])
  expect(codes('so ```tool\n{call: t}\n```')).toEqual(['fence_in_line'])
  expect(codes('{call: t}')).toEqual(['no_fence'])
  expect(codes('```tool\nNow:\n{call: t}\n```')).toEqual(['prose_in_fence'])
  expect(codes('```tool\n[{call: t}, {call: u}]\n```')).toEqual(['list_of_calls'])
  expect(codes('```tool\n{"name": "t", "arguments": {}}\n```')).toEqual(['foreign_form'])
  expect(codes('```tool\n{call: t {a: 1}}\n```')).toEqual(['lifted'])
  expect(codes('```tool\n{call: t {params {a: 1}\n```')).toEqual(['missing_brace'])
  expect(codes('```tool\n{call: t}}\n{call: u}\n```')).toEqual(['extra_brace'])
  expect(codes('```tool\n{call: t {params {a = 1}}}\n```')).toEqual(['equals_sign'])
  expect(codes('```tool\n{call: t {params {a 1}}}\n```')).toEqual(['missing_colon'])
  expect(codes('```tool\n{call: my\\_t {params {a\\_b: 1}}}\n```')).toEqual([
    'escaped_underscore',
    'escaped_underscore',
  ])
  expect(codes('```tool\n{call: t {params {a: True}}}\n```')).toEqual(['python_constant'])
  expect(codes('```tool\n{call: t {params {a: 9007199254740993}}}\n```')).toEqual(['precision'])
  const [part] = callsIn(read('```tool\n{call: t {params {a = 1}}}\n```'))
  expect(part?.warnings?.[0]?.offset).toBe('```tool\n{call: t {params {a '.length)
})

it('what comes of a tool or a user is read without repairs', () => {
  expect(scan('```json\n{call: t}\n```\n{call: u}\n').map((part) => part.kind)).toEqual(['text'])
  expect(scan(fence('result', '{result: t {status: success}}')).map((part) => part.kind)).toEqual(['result'])
})
