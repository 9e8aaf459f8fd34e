/** The scan on one probe each: what it finds in hostile ones, and that it finds nothing in benign ones. */
import { describe, expect, it } from 'vitest'
import type { ScanReport } from '../../../modules/contracts/sandbox.ts'
import { FORBIDDEN_IMPORTS } from '../../../modules/sandbox/scan/forbidden.ts'
import { scanSource } from '../../../modules/sandbox/scan/scan.ts'

const scan = (text: string, forbidden = FORBIDDEN_IMPORTS, packages: string[] = []): ScanReport =>
  scanSource({ '/root/modules/probe.ts': text }, { packages, forbidden })

const refused = (text: string): string[] => [
  ...new Set(
    scan(text)
      .findings.filter((one) => one.severity === 'refuse')
      .map((one) => one.rule),
  ),
]

/** The seventeen hostile probes of the reference, then our own. */
const HOSTILE: Record<string, [source: string, rule: string]> = {
  'a static import of child_process': ["import { exec } from 'child_process'", 'import_forbidden'],
  'the same by its node: name': ["import * as cp from 'node:child_process'", 'import_forbidden'],
  'a re-export of vm': ["export * from 'node:vm'", 'import_forbidden'],
  'a literal dynamic import': ["const cp = await import('child_process')", 'import_forbidden'],
  'a computed dynamic import': [
    "const name = Math.random() > 1 ? x : y; await import(name + '_process')",
    'import_computed',
  ],
  'a data: import': ["await import('data:text/javascript,1')", 'import_url'],
  'import x = require()': ["import cp = require('child_process')", 'import_forbidden'],
  require: ["const cp = require('node:child_process')", 'import_forbidden'],
  'a direct eval': ["eval('1')", 'dynamic_code'],
  'an indirect eval': ["(0, eval)('1')", 'dynamic_code'],
  'new Function': ["new Function('return 1')()", 'dynamic_code'],
  'the constructor of a function': ["(() => {}).constructor('return process')()", 'constructor_access'],
  'the constructor by a text': ["(() => {})['constructor']('return 1')()", 'constructor_access'],
  'a destructured constructor': ["const { constructor: F } = () => {}; F('return 1')()", 'constructor_access'],
  'Reflect.get of a constructor': ["Reflect.get(() => {}, 'constructor')('return 1')()", 'constructor_access'],
  'a text timer': ["setTimeout('work()', 1)", 'string_timer'],
  'a computed global': ["globalThis[['ev', 'al'].join('')]('1')", 'global_computed'],
  'process.binding': ["process.binding('fs')", 'process_internal'],
  createRequire: ["import { createRequire } from 'module'", 'create_require'],
  'a syntax error': ['export class {', 'parse_error'],
  // ours
  'a source that would end the process that parses it': ['['.repeat(100_000), 'parse_error'],
  'a joined name of a global': ["globalThis['ev' + 'al']('1')", 'dynamic_code'],
  'a joined name of the constructor': ["const k = 'constr'; f[`${k}uctor`]('1')", 'constructor_access'],
  'a constructor in a parameter': ["const take = ({ constructor: F }) => F('1')", 'constructor_access'],
  'a constructor in a parameter with a default': [
    "function take({ constructor: F } = f) { F('1') }",
    'constructor_access',
  ],
  'a computed key in a pattern': ["const k = 'constructor'; const { [k]: F } = f", 'constructor_access'],
  'a constructor assigned by a pattern': ['let F; ({ constructor: F } = f)', 'constructor_access'],
  'a constructor behind ?.': ["f?.constructor?.('1')", 'constructor_access'],
  'a constructor behind a cast': ["(f as any).constructor('1')", 'constructor_access'],
  'a descriptor of a constructor': ["Object.getOwnPropertyDescriptor(f, 'constructor')", 'constructor_access'],
  'a name of a constructor that is called': ["f.constructor.name.constructor('1')", 'constructor_access'],
  'an alias of eval': ["const run = eval; run('1')", 'dynamic_code'],
  'eval taken out of the global object': ["const { eval: run } = globalThis; run('1')", 'dynamic_code'],
  'an alias of the global object': ["const g = globalThis; const k = location.hash; g[k]('1')", 'global_computed'],
  'a computed member by Reflect': ["Reflect.get(globalThis, name)('1')", 'global_computed'],
  'global in place of globalThis': ["global[name]('1')", 'global_computed'],
  'Function by instanceof and call': ['if (x instanceof Function) Function(x)', 'dynamic_code'],
  'a text timer by an alias': ['const later = setInterval; later(`work(${1})`, 1)', 'string_timer'],
  'a text timer of the global object': ["globalThis.setTimeout('work()', 1)", 'string_timer'],
  'process.getBuiltinModule': ["process.getBuiltinModule('fs')", 'process_internal'],
  'a member of process by a text': ["process['bind' + 'ing']('fs')", 'process_internal'],
  'a computed member of process': ['process[name]()', 'global_computed'],
  'dlopen from an import': ["import { dlopen } from 'node:process'", 'process_internal'],
  'process under another name': ["import p from 'node:process'; p.dlopen({}, 'x')", 'process_internal'],
  'createRequire as a member': ["import m from 'node:module'; m.createRequire('/')('fs')", 'create_require'],
  'createRequire under another name': ["import { createRequire as make } from 'module'; make('/')", 'create_require'],
  'a subpath of a forbidden import': ["import 'inspector/promises'", 'import_forbidden'],
  'a computed require': ["require('f' + name)", 'import_computed'],
  'an import beside a type': ["import { type A, spawn } from 'child_process'", 'import_forbidden'],
  'a local eval elsewhere': ["{ const eval = 1 } eval('1')", 'dynamic_code'],
  'eval in an enum': ["enum A { B = eval('1') }", 'dynamic_code'],
  'eval in a namespace': ["namespace A { export const b = eval('1') }", 'dynamic_code'],
  'eval in a parameter property': ["class A { constructor(private b = eval('1')) {} }", 'dynamic_code'],
  'eval in a template': ["const a = `${eval('1')}`", 'dynamic_code'],
  'eval in a decorator': ["@eval('1') class A {}", 'dynamic_code'],
}

it('Aetherra 28: what code does is read from its syntax, and named; eval in a comment, a text or a key is none', () => {
  expect(refused("eval('1')")).toEqual(['dynamic_code'])
  expect(refused("import 'node:child_process'")).toEqual(['import_forbidden'])
  expect(refused("// eval('1')\nconst a = { eval: 'eval(1)' }")).toEqual([])
})

describe('refused', () => {
  it.each(Object.entries(HOSTILE))('%s', (_name, [source, rule]) => {
    expect(refused(source)).toContain(rule)
  })
})

const BENIGN: Record<string, string> = {
  'a type-only import': "import type { ChildProcess } from 'child_process'\nimport { type A } from 'vm'",
  'a type-only export': "export type { ChildProcess } from 'child_process'",
  'an object key': 'const a = { eval: 1, constructor: 2, Function: 3 }; a.eval',
  'a text': "const a = 'eval(1) require(x) globalThis[y]'",
  'a comment': '// eval("1")\n/* new Function() */',
  'a class with a constructor': 'class A { constructor(x) { this.x = x } }',
  'the name of a class': 'console.log(this.constructor.name, a?.constructor?.name)',
  'comparing constructors': 'if (a.constructor === B) c()',
  'typeof and instanceof': "if (typeof process === 'object' && f instanceof Function) g()",
  'a parameter called eval in a type': 'type A = (eval: string) => Function',
  'a method called eval': 'class A { eval() {} Function() {} }',
  'a computed member of a plain object': 'const self = this; self[name](); table[key]',
  'a local name of a global': 'function f(process, global) { return process.binding + global[0] }',
  'a function given to a timer': 'setTimeout(() => 1, 5); setTimeout(work, 5)',
  'a relative import': "import { a } from './a.ts'; export * from '../b.ts'; await import('./c.ts')",
  'a label and a loop': 'eval: for (;;) break eval',
  'patterns in loops and catches':
    'for (const { a } of b) c(a); for (const { d } in e) f; try { g() } catch ({ h }) {}',
  'a regular expression': 'const a = /eval\\(.*\\)/.test(b)',
}

describe('nothing is found in', () => {
  it.each(Object.entries(BENIGN))('%s', (_name, source) => {
    expect(scan(source).findings.filter((one) => one.rule !== 'global_missing')).toEqual([])
  })
})

describe('told, and not refused', () => {
  it.each([
    ['a built-in that is not forbidden', "import { readFile } from 'node:fs/promises'", 'import_missing', 'filesystem'],
    ['the network', "import http from 'https'", 'import_missing', "getApi('fetch')"],
    ['a package nobody listed', "import _ from 'lodash'", 'import_missing', 'packages:'],
    ['a global that is missing', 'fetch(url)', 'global_missing', "getApi('fetch')"],
    ['a service with a computed name', 'kernel.getApi(name)', 'api_computed', 'getApi'],
  ])('%s', (_name, source, rule, instead) => {
    expect(scan(source).findings).toMatchObject([
      { rule, severity: 'warn', instead: expect.stringContaining(instead) as string },
    ])
  })

  it('a listed package and zod are fine', () => {
    expect(scan("import _ from 'lodash'; import { z } from 'zod'", FORBIDDEN_IMPORTS, ['lodash']).findings).toEqual([])
  })
})

describe('the list of forbidden imports', () => {
  it('decides what dynamic code and members come to', () => {
    expect(scan("eval('1'); process.binding('x')", []).findings.map((one) => [one.rule, one.severity])).toEqual([
      ['dynamic_code', 'warn'],
      ['process_internal', 'warn'],
      ['global_missing', 'warn'],
    ])
  })

  it('may name packages, built-ins, globals and members', () => {
    const forbidden = ['left-pad', 'node:fs', 'fetch', 'os.userInfo']
    const source = "import 'left-pad'\nimport 'fs/promises'\nfetch(1)\nimport { userInfo } from 'os'"
    expect(
      scan(source, forbidden)
        .findings.filter((one) => one.severity === 'refuse')
        .map((one) => [one.rule, one.line]),
    ).toEqual([
      ['import_forbidden', 1],
      ['import_forbidden', 2],
      ['import_forbidden', 3],
      ['import_forbidden', 4],
    ])
  })
})

it('a finding says where, what, and what to use instead', () => {
  const { findings } = scan("// a comment\nexport class Module {\n  run() { return eval('1') }\n}")
  expect(findings).toEqual([
    {
      rule: 'dynamic_code',
      severity: 'refuse',
      message: '`eval` makes code out of text',
      instead: 'Write the function, or look the behavior up in a table of functions.',
      file: '/root/modules/probe.ts',
      line: 3,
      column: 18,
    },
  ])
})

it('a parse error says where', () => {
  expect(scan('const a = 1\nconst = 2').findings).toMatchObject([{ rule: 'parse_error', line: 2, column: 7 }])
})

it('every file of the graph is looked at, and findings have an end', () => {
  const many = scanSource(
    { '/a.ts': "import './b.ts'", '/b.ts': 'eval(1)\n'.repeat(500), '/c.json': '{"eval": 1' },
    { packages: [], forbidden: FORBIDDEN_IMPORTS },
  )
  expect(many.findings).toHaveLength(200)
  expect(many.findings[0]).toMatchObject({ file: '/b.ts' })
})
