/** The pack: what one start worked out, the next one does not work out again; and nothing else ever comes out of it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { YAML_VERSION } from '../../modules/kernel/config-file.ts'
import { ConfigParser, resolveConfigs, type DesiredState } from '../../modules/kernel/configs.ts'
import { shortHash } from '../../modules/lib/hash.ts'
import { realClock } from '../../modules/lib/clock.ts'
import { realFileSystem } from '../../modules/lib/file-system.ts'
import { ModuleLoader } from '../../modules/loader/loader.ts'
import { Pack } from '../../modules/loader/pack.ts'
import { TRANSFORM_VERSION } from '../../modules/loader/transform.ts'
import { createRoot, packageRoot, type TestRoot } from '../support/root.ts'

const FILE = 'runtime/cache/work.pack'
/** of two modules the transformed code, and its compiled form */
const FILLED = 4
let root: TestRoot
const loaders: ModuleLoader[] = []

beforeEach(() => {
  root = createRoot({
    'modules/m.ts': `import { x } from './x.ts'\nexport const answer: string = x + 'ü😀'\nexport const fail = () => {\n  throw new Error('here')\n}`,
    'modules/x.ts': `export enum E { A = 'a' }\nexport const x = E.A`,
    'modules/x.js': `export const x = 'js'`,
    'modules/d.json': `{"d": 1}`,
  })
})
afterEach(() => {
  for (const loader of loaders.splice(0)) loader.dispose()
  root.dispose()
})

const open = (bytesMax?: number): Pack =>
  new Pack({
    fs: realFileSystem,
    clock: realClock,
    path: join(root.path, FILE),
    ...(bytesMax === undefined ? {} : { bytes_max: bytesMax }),
  })

function loaderWith(cache: Pack): ModuleLoader {
  const loader = new ModuleLoader({
    root: root.path,
    packageRoot,
    fs: realFileSystem,
    clock: realClock,
    fault: () => {},
    cache,
  })
  loaders.push(loader)
  return loader
}

async function answerOf(
  loader: ModuleLoader,
  service = 's',
  generation = 1,
): Promise<Readonly<Record<string, unknown>>> {
  const scan = loader.scan(join(root.path, 'modules/m.ts'))
  return (await loader.evaluate(scan, { service, generation }, { evaluate_ms: 5_000 })).exports
}

const filled = async (): Promise<Pack> => {
  const pack = open()
  await answerOf(loaderWith(pack))
  await pack.save()
  return open()
}

const isCompiled = (key: string): boolean => key.startsWith('compiled ')

/** How many of the asked keys it knew: of compiled forms, or of all else. */
function counted(pack: Pack, ofCompiled = false): { hits: number; misses: number } {
  const count = { hits: 0, misses: 0 }
  const bytes = pack.bytes.bind(pack)
  pack.bytes = (key) => {
    const found = bytes(key)
    if (isCompiled(key) === ofCompiled) count[found === undefined ? 'misses' : 'hits']++
    return found
  }
  return count
}

describe('transformed code', () => {
  it('comes back as it was, with its way back to the source', async () => {
    const pack = await filled()
    const count = counted(pack)
    const loader = loaderWith(pack)
    const { answer, fail } = (await answerOf(loader)) as { answer: string; fail: () => void }
    expect(answer).toBe('aü😀')
    expect(count).toEqual({ hits: 2, misses: 0 })
    let thrown: unknown
    try {
      fail()
    } catch (error) {
      thrown = error
    }
    expect(loader.placeOf(thrown)).toMatchObject({ file: join(root.path, 'modules/m.ts'), line: 4 })
  })

  it('of a source that changed is not served', async () => {
    const pack = await filled()
    root.write('modules/x.ts', `export const x = 'b'`)
    const count = counted(pack)
    expect((await answerOf(loaderWith(pack)))['answer']).toBe('bü😀')
    expect(count).toEqual({ hits: 1, misses: 1 })
  })

  it('of one language is not served for another', async () => {
    root.write('modules/m.ts', 'export const answer = 1')
    const pack = await filled()
    root.write('modules/m.js', 'export const answer = 1')
    const count = counted(pack)
    loaderWith(pack).scan(join(root.path, 'modules/m.js'))
    expect(count).toEqual({ hits: 0, misses: 1 })
  })

  it('of another compiler is not served: the versions in the keys are the installed ones', () => {
    const installed = (name: string): string =>
      (JSON.parse(readFileSync(join(packageRoot, 'node_modules', name, 'package.json'), 'utf8')) as { version: string })
        .version
    expect(TRANSFORM_VERSION).toMatch(new RegExp(`^oxc-transform ${installed('oxc-transform')}, \\d+$`))
    expect(YAML_VERSION).toMatch(new RegExp(`^yaml ${installed('yaml')}, \\d+$`))
  })
})

describe('compiled code', () => {
  it('is not compiled again, and its stacks name the version that runs, also in functions that are compiled later', async () => {
    const pack = await filled()
    const compiled = counted(pack, true)
    const loader = loaderWith(pack)
    await answerOf(loader)
    expect(compiled).toEqual({ hits: 2, misses: 0 })
    for (const [service, generation] of [
      ['s', 1],
      ['s', 7],
      ['other', 1],
    ] as const) {
      const { answer, fail } = (await answerOf(loader, service, generation)) as { answer: string; fail: () => void }
      expect(answer).toBe('aü😀')
      let thrown: unknown
      try {
        fail()
      } catch (error) {
        thrown = error
      }
      expect((thrown as Error).stack).toContain(`${root.path}/modules/m.ts:4:9`)
      expect(loader.ownerOf(thrown)).toEqual({ service, generation })
    }
  })

  it('is there for the next start also of a file that was saved meanwhile', async () => {
    const pack = open()
    const loader = loaderWith(pack)
    await answerOf(loader)
    root.write('modules/m.ts', `export const answer = 'saved'`)
    await answerOf(loader, 's', 2)
    await pack.save()
    const again = open()
    const compiled = counted(again, true)
    expect((await answerOf(loaderWith(again)))['answer']).toBe('saved')
    expect(compiled).toEqual({ hits: 1, misses: 0 })
  })

  it('that V8 refuses is compiled anew', async () => {
    const pack = await filled()
    const bytes = pack.bytes.bind(pack)
    pack.bytes = (key) => (isCompiled(key) ? [Buffer.from('not what V8 wrote')] : bytes(key))
    expect((await answerOf(loaderWith(pack)))['answer']).toBe('aü😀')
  })

  it('of a start with other flags of V8 is not even asked for', async () => {
    await filled()
    setFlagsFromString('--max-lazy')
    try {
      const pack = open()
      const compiled = counted(pack, true)
      expect((await answerOf(loaderWith(pack)))['answer']).toBe('aü😀')
      expect(compiled).toEqual({ hits: 0, misses: 2 })
    } finally {
      setFlagsFromString('--no-max-lazy')
    }
  })
})

describe('a file that is not what was written', () => {
  /** Bytes as characters, so that they can be searched and replaced. */
  const asCharacters = (text: string): string => Buffer.from(text).toString('latin1')
  const damages: [string, (content: string) => string][] = [
    ['torn', (text) => text.slice(0, -10)],
    ['torn in its head', (text) => text.slice(0, 40)],
    ['empty', () => ''],
    ['foreign', () => 'PK\u0003\u0004 something else\n'],
    ['JSON, but no pack', () => '{"format": 5}\n'],
    ['of another version', (text) => text.replace('meta-machine pack 2', 'meta-machine pack 1')],
    ['changed inside', (text) => text.replace(asCharacters('ü😀'), asCharacters('ä😀'))],
    [
      'changed in its list of entries',
      (text) => text.replace(/,(\d+)\]\]/, (_all, length) => `,${Number(length) - 1}]]`),
    ],
    ['longer than written', (text) => `${text}x`],
  ]
  it.each(damages)('%s is as good as none, and is replaced', async (_name, damage) => {
    await filled()
    const path = join(root.path, FILE)
    const content = readFileSync(path, 'latin1')
    const damaged = damage(content)
    expect(damaged).not.toBe(content)
    writeFileSync(path, damaged, 'latin1')
    const pack = open()
    expect(pack.size).toBe(0)
    expect((await answerOf(loaderWith(pack)))['answer']).toBe('aü😀')
    await pack.save()
    expect(open().size).toBe(FILLED)
  })
})

describe('is written', () => {
  it('only with what is in use', async () => {
    const pack = await filled()
    root.write('modules/m.ts', 'export const answer = 1')
    await answerOf(loaderWith(pack))
    await pack.save()
    expect(open().size).toBe(FILLED / 2)
  })

  it('not at all when it would hold the same', async () => {
    const pack = await filled()
    await answerOf(loaderWith(pack))
    root.remove(FILE)
    await pack.save()
    expect(realFileSystem.stat(join(root.path, FILE))).toBeUndefined()
  })

  it('no larger than its limit', async () => {
    const pack = open(500)
    await answerOf(loaderWith(pack))
    await pack.save()
    expect(open().size).toBeLessThan(2)
    expect(root.read(FILE).length).toBeLessThan(900)
  })

  it('once more after a failure, and the failure is told', async () => {
    const pack = open()
    await answerOf(loaderWith(pack))
    root.write('runtime/cache', 'in the way')
    await expect(pack.save()).rejects.toThrow()
    root.remove('runtime/cache')
    await pack.save()
    expect(open().size).toBe(FILLED)
  })
})

describe('parsed configs', () => {
  const files = {
    'a.yml': 'x: 1\ny: [1, {z: "t"}]',
    'names.yml': 'constructor: {x: 1}',
    'wrong.yml': 'needs: 5',
  }
  const resolve = (pack: Pack): DesiredState =>
    resolveConfigs(
      Object.entries(files).map(([path, text]) => ({ path, text, hash: shortHash(text) })),
      new ConfigParser(pack),
      { defaults: {}, bytes_max: 1_000, tokens_max: 1_000 },
    )

  it('give the same services and errors as texts do; a wrong one is read again, for its place', async () => {
    const pack = open()
    const before = resolve(pack)
    await pack.save()
    const again = open()
    const count = counted(again)
    expect(resolve(again)).toEqual(before)
    expect(count).toEqual({ hits: 2, misses: 1 })
    expect(before.errors[0]).toMatchObject({ code: 'config_key', line: 1 })
  })
})
