import { describe, expect, it } from 'vitest'
import { ConfigParser, resolveConfigs, type ConfigText, type DesiredState } from '../../modules/kernel/configs.ts'
import { parseConfig } from '../../modules/kernel/config-file.ts'
import type { JsonMap } from '../../modules/contracts/seams.ts'
import { shortHash } from '../../modules/lib/hash.ts'

const WITHIN = { bytes_max: 1_000_000, tokens_max: 10_000 }

const resolve = (files: Record<string, string>, defaults: JsonMap = {}): DesiredState =>
  resolveConfigs(
    Object.entries(files).map(([path, text]) => ({ path, text, hash: shortHash(text) })),
    new ConfigParser(),
    { defaults, ...WITHIN },
  )

const LISTING_2 = `# configs/services/my_module.yml

# The API name for kernel.get_api("my_api_name")
# fallback: 'services/my_module' (derived from path)
api: my_api_name

# The Python module to load from the modules/ directory
# fallback: 'services/my_module' (derived from path)
prog: my_module

# Custom parameters passed to the module's config dict
check_interval: 10
some_value: "example"
`

const LISTING_10 = `# OpenAI-compatible inference provider configuration
prog: openai
api: deepseek-r1-0528

params:
  api_key_env: "OPENROUTER_API_KEY" # Environment variable containing API key
  base_url: "https://openrouter.ai/api/v1" # Default OpenAI URL
  model: "deepseek/deepseek-r1-0528-qwen3-8b:free" # Default model
  temperature: 0.7
  tool_use: true # Enable/disable tool usage for this configuration
  prompt_file: "prompts/meta.txt" # Path to prompt template
`

it('reads the listings of the paper unedited', () => {
  const { services, errors } = resolve({
    'services/my_module.yml': LISTING_2,
    'inference/deepseek.yml': LISTING_10,
    'services/chromadb.yml': 'http_mode: true\nhost: localhost\nport: 8000\npath: chroma_data\n',
  })
  expect(errors).toEqual([])
  expect(services.get('my_api_name')).toMatchObject({
    prog: 'my_module',
    params: { check_interval: 10, some_value: 'example' },
  })
  expect(services.get('deepseek-r1-0528')).toMatchObject({
    prog: 'openai',
    params: { api_key_env: 'OPENROUTER_API_KEY', temperature: 0.7, tool_use: true, prompt_file: 'prompts/meta.txt' },
  })
  expect(services.get('services/chromadb')?.params).toEqual({
    http_mode: true,
    host: 'localhost',
    port: 8000,
    path: 'chroma_data',
  })
})

it('derives api and prog from the path, without version and extension', () => {
  const { services } = resolve({ 'services/database.yml': '', 'tasks/deep/x-v1.2.yaml': 'a: 1', 'top.yml': '' })
  expect([...services.values()].map(({ api, prog, version }) => [api, prog, version])).toEqual([
    ['services/database', 'services/database', null],
    ['tasks/deep/x', 'tasks/deep/x', '1.2'],
    ['top', 'top', null],
  ])
})

it('takes the highest version, counted as numbers; none is lowest', () => {
  const chosen = (...names: string[]): string | undefined =>
    resolve(Object.fromEntries(names.map((name) => [name, `file: ${name}`])))
      .services.values()
      .next().value?.file
  expect(chosen('a-v1.9.yml', 'a-v1.10.yml')).toBe('configs/a-v1.10.yml')
  expect(chosen('a.yml', 'a-v0.1.yml')).toBe('configs/a-v0.1.yml')
  expect(chosen('a-v2.yml', 'a-v1.99.99.yml')).toBe('configs/a-v2.yml')
  expect(chosen('a-v2.0.0-rc.1.yml', 'a-v2.yml')).toBe('configs/a-v2.yml')
})

it('dot files and dot folders are off, and meta files belong to the kernel', () => {
  const { services } = resolve({
    '.a.yml': '',
    '.off/b.yml': '',
    'c/.d.yml': '',
    'meta.yml': 'prog: kernel',
    'meta-v2.yml': 'prog: kernel',
    'c/meta.yml': '',
  })
  expect([...services.keys()]).toEqual(['c/meta'])
})

it('names both files of a tie and of a contested api', () => {
  const tie = resolve({ 'a-v1.yml': '', 'a-v1.0.yml': '' })
  expect(tie.services.size).toBe(0)
  expect(tie.errors[0]).toMatchObject({ code: 'config_version_tie' })
  expect(tie.errors[0]?.message).toContain('configs/a-v1.0.yml, configs/a-v1.yml')
  const taken = resolve({ 'a.yml': 'api: x', 'b.yml': 'api: x', 'c.yml': '' })
  expect([...taken.services.keys()]).toEqual(['c'])
  expect(taken.contested.has('x')).toBe(true)
  expect(taken.errors[0]?.message).toContain('configs/a.yml, configs/b.yml')
})

it('every conflict has a place, and a path that is no name needs an `api`', () => {
  const { errors, services } = resolve({
    'a.yml': 'x: 1\napi: same',
    'b.yml': 'api: same',
    'kernel.yml': '',
    'two words.yml': '',
    'three words here.yml': 'api: three\nprog: three',
    't-v1.yml': '',
    't-v1.0.yml': '',
    'u-v01.yml': '',
  })
  expect([...services.keys()]).toEqual(['three'])
  expect(errors.map(({ code, file, line, column }) => [code, file, line, column])).toEqual([
    ['config_api_taken', 'configs/a.yml', 2, 1],
    ['config_key', 'configs/kernel.yml', 1, 1],
    ['config_version_tie', 'configs/t-v1.0.yml', 1, 1],
    ['config_key', 'configs/two words.yml', 1, 1],
    ['config_name', 'configs/u-v01.yml', 1, 1],
  ])
})

it('one bad file is its own error and nobody else’s', () => {
  const { services, errors, broken } = resolve({
    'good.yml': 'a: 1',
    'bad.yml': 'a: 1\nb: [1, 2\nc: 3\n',
    'list.yml': '- 1\n',
    'twice.yml': 'a: 1\na: 2\n',
    'name-v01.2.yml': '',
  })
  expect([...services.keys()]).toEqual(['good'])
  expect(errors.map(({ code, file }) => [code, file])).toEqual([
    ['config_syntax', 'configs/bad.yml'],
    ['config_not_map', 'configs/list.yml'],
    ['config_name', 'configs/name-v01.2.yml'],
    ['config_syntax', 'configs/twice.yml'],
  ])
  expect(errors.every((error) => error.hint !== '' && (error.code === 'config_name' || error.line !== undefined))).toBe(
    true,
  )
  expect([...broken.keys()].sort()).toEqual(['bad', 'list', 'twice'])
})

it.each([
  ['api: 5', 'api', 1],
  ['x: 1\napi: kernel', 'api', 2],
  ['needs: database', 'needs', 1],
  ['\n\nenabled: "yes"', 'enabled', 3],
  ['limits:\n  drain: 5', 'limits', 1],
  ['limits:\n  drain_ms: fast', 'limits', 1],
  ['reload: sometimes', 'reload', 1],
  ['params: 5', 'params', 1],
  ['api: "../../etc"', 'api', 1],
])('a wrong reserved key is named with its line: %j', (text, key, line) => {
  const [error] = resolve({ 'a.yml': text }).errors
  expect(error).toMatchObject({ code: 'config_key', file: 'configs/a.yml', line })
  expect(error?.message).toContain(`\`${key}\``)
})

it('lays defaults under every config, and completes limits key by key', () => {
  const { services } = resolve(
    { 'a.yml': 'limits: {drain_ms: 5}\nb: own', 'c.yml': '' },
    { b: 'default', extra: 1, limits: { drain_ms: 1, init_ms: 2 } },
  )
  expect(services.get('a')).toMatchObject({ params: { b: 'own', extra: 1 }, limits: { drain_ms: 5, init_ms: 2 } })
  expect(services.get('c')).toMatchObject({ params: { b: 'default', extra: 1 }, limits: { drain_ms: 1, init_ms: 2 } })
})

it('params lie over the other keys, and enabled: false is off', () => {
  const { services } = resolve({ 'a.yml': 'x: 1\ny: 2\nparams: {x: 3}', 'b.yml': 'enabled: false' })
  expect(services.get('a')?.params).toEqual({ x: 3, y: 2 })
  expect(services.has('b')).toBe(false)
})

it('the hash changes with the meaning, not with spelling or comments', () => {
  const hash = (text: string): string | undefined => resolve({ 'a.yml': text }).services.get('a')?.hash
  expect(hash('x: 1\ny: {b: 1, a: 2}')).toBe(hash('# comment\ny:\n  a: 2\n  b: 1\nx: 1\n'))
  expect(hash('x: 1')).not.toBe(hash('x: 2'))
  expect(hash('x: 1')).not.toBe(hash('x: "1"'))
})

it('hostile YAML is an error or plain data, never more', () => {
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x]',
    ...'bcdefghi'.split('').map((name, index) => `${name}: &${name} [${`*${'abcdefgh'[index]},`.repeat(9)}]`),
  ].join('\n')
  expect(parseConfig('bomb.yml', bomb, WITHIN)).toMatchObject({
    ok: false,
    error: { code: 'config_too_large', file: 'bomb.yml', line: 5 },
  })
  expect(parseConfig('p.yml', 'a: 1\n__proto__: {polluted: true}', WITHIN)).toMatchObject({
    ok: false,
    error: { code: 'config_key', file: 'p.yml', line: 2, column: 1 },
  })
  expect(parseConfig('c.yml', 'constructor: {prototype: {polluted: true}}', WITHIN).ok).toBe(true)
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  expect(parseConfig('big.yml', 'a: '.padEnd(2_000, 'x'), { ...WITHIN, bytes_max: 1_000 })).toMatchObject({
    ok: false,
    error: { code: 'config_too_large' },
  })
  expect(parseConfig('tag.yml', 'a: !!js/function "function () {}"', { ...WITHIN, bytes_max: 1_000 }).ok).toBe(true)
  expect(parseConfig('bom.yml', '\uFEFFa: 1', { ...WITHIN, bytes_max: 1_000 })).toEqual({ ok: true, value: { a: 1 } })
  expect(parseConfig('tabs.yml', 'a:\n\t- 1', { ...WITHIN, bytes_max: 1_000 })).toMatchObject({
    ok: false,
    error: { code: 'config_syntax', line: 2 },
  })
})

it.each([
  ['x: 1\ny: .inf', 'y', 2],
  ['x:\n  - 1\n  - z: .nan', 'x.1.z', 3],
  ['x: 1e999', 'x', 1],
  ['x: !!binary aGk=', 'x', 1],
  ['x: !!set {a}', 'x', 1],
  ['x: !!timestamp 2001-01-01', 'x', 1],
])('a value that JSON does not have is the error of its file: %j', (text, key, line) => {
  const { services, errors } = resolve({ 'a.yml': text, 'good.yml': '' })
  expect([...services.keys()]).toEqual(['good'])
  expect(errors).toMatchObject([{ code: 'config_syntax', file: 'configs/a.yml', line }])
  expect(errors[0]?.message).toContain(`\`${key}\``)
})

describe('looked at again', () => {
  const text = (path: string, content: string): ConfigText => ({ path, text: content, hash: shortHash(content) })
  const limits = { defaults: {} as JsonMap, ...WITHIN }

  it('unchanged files give the very same objects, changed ones new ones, and the result is as if read anew', () => {
    const parser = new ConfigParser()
    const files = [text('a.yml', 'x: 1'), text('b.yml', 'x: 1'), text('bad.yml', '- 1'), text('c-v1.yml', 'api: c')]
    const edits: ConfigText[][] = [
      files,
      files.toReversed(),
      files.with(1, text('b.yml', 'x: 2')),
      files.with(1, text('b.yml', 'x: 2\nprog: other')).with(0, text('a.yml', 'enabled: false')),
      files.with(1, text('b.yml', 'api: a')),
      files.with(1, text('b.yml', 'api: other')),
      files.with(1, text('b.yml', '[')),
      files.with(1, text('renamed.yml', 'x: 1')),
      [...files, text('c-v1.0.yml', 'api: c')],
      [...files, text('c-v2.yml', 'api: d')],
      files.with(2, text('bad.yml', 'ok: true')),
      files.slice(1),
      [...files, text('d.yml', 'api: a')],
      [...files, text('d.yml', 'api: a\nx: 1')],
    ]
    const before = resolveConfigs(files, parser, limits)
    for (const edit of [...edits, ...edits.toReversed()]) {
      const after = resolveConfigs(edit, parser, limits)
      const anew = resolveConfigs(edit, new ConfigParser(), limits)
      expect(after).toEqual(anew)
      expect([...after.services.keys()]).toEqual([...anew.services.keys()])
      for (const [api, service] of after.services) {
        const file = files.find(({ path }) => `configs/${path}` === service.file)
        if (file !== undefined && edit.includes(file)) expect(service).toBe(before.services.get(api))
      }
    }
  })

  it('a caller may change what it was given', () => {
    const parser = new ConfigParser()
    const files = [text('a.yml', ''), text('b.yml', '')]
    for (const edit of [files, files, files.with(1, text('b.yml', 'x: 2'))]) {
      const { services } = resolveConfigs(edit, parser, limits)
      expect([...services.keys()]).toEqual(['a', 'b'])
      services.delete('a')
    }
  })

  it('other defaults and another limit are not answered from what was read before', () => {
    const parser = new ConfigParser()
    const files = [text('a.yml', 'x: 1')]
    const first = resolveConfigs(files, parser, limits).services.get('a')
    expect(resolveConfigs(files, parser, { ...limits, defaults: {} }).services.get('a')).toBe(first)
    const second = resolveConfigs(files, parser, { ...limits, defaults: { y: 2 } }).services.get('a')
    expect(second?.params).toEqual({ x: 1, y: 2 })
    expect(second?.hash).not.toBe(first?.hash)
    expect(resolveConfigs(files, parser, { ...limits, bytes_max: 2 }).errors[0]?.code).toBe('config_too_large')
  })
})
