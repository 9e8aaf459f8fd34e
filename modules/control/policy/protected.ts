/**
 * What the system may never change itself: the bootloader, what judges it (policy, approvals, ledger, rollouts), tests and
 * evaluation data, secrets, and the configs of these. What writes may not judge, and what judges may not write. Paths
 * are compared as they lead, after links; a config is known by what it runs and is called, not by its file's name. Pure.
 */
import { posix } from 'node:path'

/** Rows of docs/control-plane.md; the first that fits names the rule. */
const PROTECTED: readonly [rule: string, pattern: RegExp][] = [
  [
    'bootloader',
    /^(run\.ts|bin\/|cli\/|dist\/|modules\/loader\/|modules\/lib\/|modules\/contracts\/|modules\/kernel\/)/,
  ],
  ['gate', /^modules\/control\/(policy|approvals|ledger|events|rollouts|self-improver|branches)(\/|\.|$)/],
  ['sandbox', /^modules\/sandbox\//],
  [
    'gate_config',
    /^configs\/(.*\/)?(policy|approvals|ledger|events|rollouts|self-improver|branches)(-v[\d.]+)?\.ya?ml$/,
  ],
  ['evaluation', /^(test|bench)\//],
  ['build', /^(\.ci\/|scripts\/|vendor\/|node_modules\/|package(-lock)?\.json$|tsconfig.*\.json$|\.git(\/|$))/],
  ['secrets', /^(runtime\/(secrets\/|token|control\/|FREEZE|refused\.json|lock|http\.json|last-good\/)|\.env)/],
]

/** Services that judge: a config that runs one of them, or takes its name, is theirs whatever it is called. */
const JUDGES = /^(control\/)?(policy|approvals|ledger|events|rollouts|self-improver|branches)$/

/** The rule that protects a path from the root; `outside` for one that leaves it. */
export function protectedBy(path: string): string | undefined {
  const normal = posix.normalize(path.replaceAll('\\', '/').normalize('NFC')).replace(/^\.\//, '')
  if (normal.startsWith('../') || normal === '..' || normal.startsWith('/') || normal.includes('\0')) return 'outside'
  // A file system that does not tell cases apart would lead there too.
  const plain = normal.toLowerCase()
  return PROTECTED.find(([, pattern]) => pattern.test(plain) || pattern.test(normal))?.[0]
}

/** Whether a config's text is that of a service that judges. */
export function isJudge(config: { api?: unknown; prog?: unknown }): boolean {
  return [config.api, config.prog].some((name) => typeof name === 'string' && JUDGES.test(name.trim().toLowerCase()))
}
