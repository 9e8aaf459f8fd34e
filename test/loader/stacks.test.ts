import { afterEach, expect, it } from 'vitest'
import { createLoader, type TestLoader } from '../support/loader.ts'

let test: TestLoader | undefined
afterEach(() => test?.dispose())

const SOURCE = `import type { Gone } from './types.ts'
import { helper } from './helper.ts'
enum Color { Red, Green }
interface Shape { side: number }

export class Module {
  constructor(private readonly name: string, public readonly shape?: Shape) {}
  boom(kind: Color = Color.Green): never {
    const before: Gone = 'x'; if (kind) { throw new RangeError(\`boom \${this.name}\${before}\`) }
    throw new Error('not here')
  }
  async deep(): Promise<void> {
    await null
      helper(() => this.boom())
  }
}
`

/** Line and column of a text in the source, 1-based: the truth a stack is held against. */
function placeOf(source: string, text: string): string {
  const before = source.slice(0, source.indexOf(text))
  return `${before.split('\n').length}:${before.length - before.lastIndexOf('\n')}`
}

it('a stack names file, line and column of the TypeScript as it was written, after many reloads too', async () => {
  test = createLoader({
    'modules/m.ts': SOURCE,
    'modules/types.ts': 'export type Gone = string',
    'modules/helper.ts': 'export const helper = (f: () => void): void => f()',
  })
  const { root, load } = test
  for (let version = 1; version <= 12; version++) {
    const source = `${'// pushed down\n'.repeat(version)}${SOURCE}`
    root.write('modules/m.ts', source)
    const { exports } = await load('modules/m.ts', 'stacks', version)
    const Module = exports['Module'] as new (name: string) => { boom(): never; deep(): Promise<void> }
    const error = await new Module('n').deep().catch((thrown: Error) => thrown)
    const frames = (error as Error).stack?.split('\n') ?? []
    expect(frames[0]).toBe('RangeError: boom nx')
    expect(frames[1]).toBe(`    at Module.boom (${root.path}/modules/m.ts:${placeOf(source, 'new RangeError')})`)
    expect(frames[2]).toContain(`${root.path}/modules/m.ts:${placeOf(source, 'boom())')}`)
    expect(frames[3]).toContain(
      `${root.path}/modules/helper.ts:1:${'export const helper = (f: () => void): void => '.length + 1}`,
    )
    expect(test.loader.ownerOf(error)).toEqual({ service: 'stacks', generation: version })
    expect(`${test.loader.placeOf(error)?.line}:${test.loader.placeOf(error)?.column}`).toBe(
      placeOf(source, 'new RangeError'),
    )
  }
})

it('the cause of a wrapped error finds its owner too', async () => {
  test = createLoader({ 'modules/m.ts': `export const boom = () => { throw new Error('inner') }` })
  const { exports } = await test.load('modules/m.ts', 'inner', 2)
  let outer: unknown
  try {
    ;(exports['boom'] as () => void)()
  } catch (error) {
    outer = Object.assign(new Error('outer', { cause: error }), { stack: 'none' })
  }
  expect(test.loader.ownerOf(outer)).toEqual({ service: 'inner', generation: 2 })
})

it('values without a stack have no owner, and never throw', () => {
  test = createLoader({})
  for (const thrown of [null, undefined, 'text', 5, {}, Object.create(null), new Proxy({}, {})]) {
    expect(test.loader.ownerOf(thrown)).toBeUndefined()
  }
})

it('errors of other code keep their plain stack', () => {
  test = createLoader({})
  const { stack } = new Error('plain')
  expect(stack).toContain('Error: plain')
  expect(stack).toContain('stacks.test.ts')
})
