/**
 * Kernels that are broken, each in a way of its own, as files under `configs/` and `modules/`. Most are the shipped
 * kernel with something wrong in it, so that nothing but the fault tells them apart.
 */
import { packageRoot } from './root.ts'

export interface BrokenKernel {
  name: string
  /** what it is refused with */
  code: RegExp
  /** gone back from after it has served, not refused before */
  serves: boolean
  /** its files can be read, so that it is kept by their hash */
  kept: boolean
  files(name: string): Record<string, string>
}

/** The shipped kernel with another body. */
const shipped = (body: string, before = ''): string => `
${before}
import { Kernel as Shipped } from '${packageRoot}/modules/kernel/kernel.ts'
export class Kernel extends Shipped {
  ${body}
}
`

const source =
  (text: string) =>
  (name: string): Record<string, string> => ({
    [`modules/${name}.ts`]: `${text}// ${name}\n`,
    [`configs/meta-v2.${name.slice(1)}.0.yml`]: `prog: ${name}\n`,
  })

const refused = (name: string, code: RegExp, text: string): BrokenKernel => ({
  name,
  code,
  serves: false,
  kept: true,
  files: source(text),
})

const meta = (text: string) => (name: string) => ({ [`configs/meta-v2.${name.slice(1)}.0.yml`]: text })

const unread = (name: string, code: RegExp, files: BrokenKernel['files']): BrokenKernel => ({
  name,
  code,
  serves: false,
  kept: false,
  files,
})

const sick = (name: string, body: string): BrokenKernel => ({
  ...refused(name, /kernel_unwell/, shipped(body)),
  serves: true,
})

const never = 'new Promise(() => {})'

export const BROKEN_KERNELS: readonly BrokenKernel[] = [
  unread('bad YAML', /config_syntax/, meta('prog: [\n')),
  unread('a missing file', /prog_not_found/, meta('prog: nowhere\n')),
  unread('a syntax error', /source_syntax/, source('export class Kernel {')),
  refused(
    'a throw on import',
    /module_threw/,
    "const broken = true\nif (broken) throw new Error('no')\nexport class Kernel {}\n",
  ),
  refused('an import that never settles', /module_timeout/, `await ${never}\nexport class Kernel {}\n`),
  refused(
    'a throw in the constructor',
    /callee_error/,
    shipped("constructor(options) { super(options); throw new Error('no') }"),
  ),
  refused(
    'a constructor that gives a promise',
    /callee_error|kernel_/,
    shipped(`constructor(options) { super(options); return ${never} }`),
  ),
  refused('a throw in adopt', /callee_error/, shipped("adopt() { throw new Error('no') }")),
  refused(
    'a throw in adopt after everything was taken over',
    /callee_error/,
    shipped("adopt(state) { void super.adopt(state).catch(() => undefined); throw new Error('no') }"),
  ),
  refused(
    'an adopt that never settles',
    /kernel_adopt_timeout/,
    shipped(`async adopt(state) { await super.adopt(state); await ${never} }`),
  ),
  refused(
    'a first look that fails',
    /callee_error/,
    shipped("async adopt(state) { await super.adopt(state); throw new Error('no look') }"),
  ),
  refused('a record it cannot read', /kernel_state/, shipped('reads = { from: 7, to: 9 }')),
  refused(
    'a health that is bad at once',
    /kernel_unwell/,
    shipped("async health() { return { ...(await super.health()), ok: false, reason: 'it is sick' } }"),
  ),
  sick(
    'late errors of its own soon after',
    "async adopt(state) { await super.adopt(state); for (let n = 0; n < 3; n++) this.options.clock.after(300, () => { if (!this.gone) this.fault(new Error('late'), 'exception') }) }",
  ),
  sick(
    'a health that is bad later',
    "async health() { const late = performance.now() - (this.since ??= performance.now()) > 100; return { ...(await super.health()), ok: !late, reason: 'it is sick by now' } }",
  ),
  sick(
    'calls to it that fail later',
    "status() { if (performance.now() - (this.since ??= performance.now()) > 100) throw new Error('no'); return super.status() }",
  ),
]

const forever = 'for (let n = 0; n > -1; ) n = 1;'

/** These would stop this very process: they are tried in a thread. */
export const LOOPING_KERNELS: readonly BrokenKernel[] = [
  refused('a loop on import', /kernel_vet_timeout/, `${forever}\nexport class Kernel {}\n`),
  refused(
    'a loop in the constructor',
    /kernel_vet_timeout/,
    shipped(`constructor(options) { super(options); ${forever} }`),
  ),
  refused('a loop in adopt', /kernel_vet_timeout/, shipped(`adopt(state) { void super.adopt(state); ${forever} }`)),
]
