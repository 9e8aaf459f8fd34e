/**
 * Does it type-check as well as what serves? By the TypeScript of the root or of a checkout, over a copy; what `mm types`
 * wrote of the running system is read too, so that calls of other services are checked by what these really have. What was
 * wrong before is not held against a change. Without TypeScript nothing is said.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PACKAGE_ROOT, type Complaint, type Copy, type Tool } from '../tool-run.ts'
import { toolCheck } from './tool-check.ts'

const SERVICES = 'runtime/types/services.d.ts'
/** Files of the root that no copy holds are found where they stand. */
const ALWAYS = {
  noEmit: true,
  composite: false,
  incremental: false,
  allowJs: true,
  allowImportingTsExtensions: true,
  rewriteRelativeImportExtensions: false,
  skipLibCheck: true,
  rootDir: null,
  outDir: null,
  plugins: [],
}
const DEFAULTS = {
  target: 'es2023',
  lib: ['es2023', 'esnext.disposable', 'dom'],
  module: 'nodenext',
  moduleResolution: 'nodenext',
  strict: true,
  noImplicitAny: false,
}

export const typesCheck = toolCheck({
  name: 'types',
  package: 'typescript',
  kind: 'type checker',
  fine: 'no new type errors',
  wrong: 'it has type errors that were not there',
  argsFor: (copy, tool, root) => {
    writeFileSync(join(copy.folder, 'tsconfig.json'), JSON.stringify(settings(root, tool, copy)))
    return ['-p', 'tsconfig.json', '--pretty', 'false']
  },
  complaintsOf: (said) => (side) => complaintsOf(said, side),
})

function settings(root: string, tool: Tool, { folder, files }: Copy): object {
  const own = join(root, 'tsconfig.json')
  const hasOwn = existsSync(own)
  const node = existsSync(join(tool.modules, '@types', 'node'))
  const services = join(root, SERVICES)
  return {
    ...(hasOwn ? { extends: own } : {}),
    compilerOptions: {
      ...(hasOwn ? {} : { ...DEFAULTS, types: node ? ['node'] : [] }),
      ...ALWAYS,
      typeRoots: [join(tool.modules, '@types')],
      rootDirs: ['before', 'after', root],
      paths: { 'meta-machine': [join(PACKAGE_ROOT, 'modules', 'lib', 'index.ts')] },
    },
    include: [],
    files: [
      ...['before', 'after'].flatMap((side) =>
        files.map((file) => join(side, file)).filter((file) => existsSync(join(folder, file))),
      ),
      ...(existsSync(services) ? [services] : []),
    ],
  }
}

/** That a root has no types of Node says nothing of the change. */
const NO_NODE = /'node:[\w/]+'|@types\/node/

function complaintsOf(said: string, side: string): Complaint[] {
  const found: Complaint[] = []
  for (const [, path = '', line = '', text = ''] of said.matchAll(/^([^\n(]+)\((\d+),\d+\): error (TS\d+: .*)$/gm)) {
    const mark = `${side}/`
    if (!path.startsWith(mark) || NO_NODE.test(text)) continue
    found.push({
      path: path.slice(mark.length),
      line: Number(line),
      text: text.replaceAll(/[^\s"']*\/(before|after)\//g, ''),
    })
  }
  return found
}
