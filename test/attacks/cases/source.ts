/** Attacks by the text of the module itself: what reads it must refuse it, and go on. */
import type { Attack } from '../attack.ts'

export const SOURCES: readonly Attack[] = [
  {
    id: 'nested',
    title: 'a hundred thousand brackets',
    guard: 'depth is measured before the parser',
    source: `export class Module { a = ${'['.repeat(100_000)}${']'.repeat(100_000)} }`,
    expect: { refused: ['source_unsupported', 'scan_refused'] },
  },
  {
    id: 'unreadable',
    title: 'what is no JavaScript',
    guard: 'the scan fails closed',
    source: 'export class Module { attack( }',
    expect: { refused: 'source_syntax' },
  },
  {
    id: 'computed-import',
    title: 'a computed import',
    guard: 'the scan fails closed',
    body: "attack() { return import(hidden('f', 's')) }",
    expect: { refused: 'scan_refused' },
  },
  {
    id: 'computed-global',
    title: 'a computed global',
    guard: 'the scan fails closed',
    body: "attack() { return globalThis[hidden('pro', 'cess')] }",
    expect: { refused: 'scan_refused' },
  },
  {
    id: 'visible-eval',
    title: 'eval, as it stands',
    guard: 'the scan: forbidden_imports',
    body: "attack() { return eval('1') }",
    expect: { refused: 'scan_refused' },
  },
  {
    id: 'no-module',
    title: 'a file without a module',
    guard: 'the contract is checked',
    source: 'export const attack = 1',
    expect: { refused: ['no_module_class', 'module_missing', 'module_no_class', 'module_contract'] },
  },
  {
    id: 'link-out',
    title: 'an import out of the root',
    guard: 'imports are allowed by a list',
    top: "import x from '../../../../../../etc/passwd'",
    body: 'attack() { return x }',
    expect: { refused: ['source_unsupported', 'import_missing', 'file_missing'] },
  },
  {
    id: 'unlisted-package',
    title: 'a package nobody listed',
    guard: 'imports are allowed by a list',
    top: "import { valid } from 'semver'",
    body: "attack() { return valid('1.0.0') }",
    expect: { refused: 'import_refused' },
  },
  {
    id: 'native-package',
    title: 'a package with native code',
    guard: 'imports are allowed by a list',
    top: "import { parseSync } from 'oxc-parser'",
    body: "attack() { return parseSync('a.js', '') }",
    expect: { refused: 'import_refused' },
  },
]
