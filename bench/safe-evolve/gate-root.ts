/** The root of the gate: what the product needs to take changes, and settings an operator in a hurry would choose. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Subject } from './contract.ts'
import { packageRoot } from './root.ts'

/** A change is measured for so long before it is kept; the product's own default is a minute. */
export const WINDOW_MS = 3_000

/** The tests of a subject, beside it. */
export const testFiles = ({ name, tests }: Subject): Record<string, string> => ({
  [`modules/${name}.test.ts`]: tests,
})

const shipped = (file: string): string => readFileSync(join(packageRoot, file), 'utf8')

/** What any root has that is served over HTTP. */
export const bareFiles: Record<string, string> = {
  'configs/meta-v1.0.0.yml': 'prog: kernel\n',
  'configs/services/http.yml': 'api: http\nprog: services/http\nport: 0\nrecord: false\nlimits: {drain_ms: 120000}\n',
  'configs/services/tools.yml': 'api: tools\nprog: services/tools\nrecord: false\n',
}

export function gateFiles(model: string): Record<string, string> {
  return {
    ...bareFiles,
    'configs/services/recordings.yml': shipped('configs/services/recordings.yml'),
    'configs/inference/scripted.yml': `api: scripted\nprog: inference/openai\nparams: {base_url: '${model}/v1', model: scripted, retries: 0}\n`,
    'configs/control/ledger.yml': 'api: ledger\nprog: control/ledger\nrecord: false\n',
    'configs/control/policy.yml': 'api: policy\nprog: control/policy\nrecord: false\n',
    'configs/control/approvals.yml': 'api: approvals\nprog: control/approvals\nrecord: false\n',
    'configs/control/rollouts.yml': `api: rollouts\nprog: control/rollouts\nwindow_ms: ${WINDOW_MS}\ncheck_ms: 100\nrecord: false\n`,
    'configs/control/self-improver.yml': 'api: self-improver\nprog: control/self-improver\nrecord: false\n',
    'prompts/self-improver.txt': shipped('prompts/self-improver.txt'),
  }
}
