/**
 * Which files of `modules/` the package brings. In a root of its own these are all that the package's folder holds; where
 * the package is the root, what somebody put beside them is not the package's. A test compares the list with the files.
 */
const SHIPPED = [
  'agents/assistant/',
  'control/approvals/',
  'control/branches/',
  'control/events/',
  'control/ledger/',
  'control/meta-loop/',
  'control/metrics/',
  'control/policy/',
  'control/rollouts/',
  'control/self-improver/',
  'example.ts',
  'inference/ask.ts',
  'inference/offline/',
  'inference/openai/',
  'mcp/bridge/',
  'services/balancer.ts',
  'services/chromadb/',
  'services/database/',
  'services/fetch/',
  'services/filesystem/',
  'services/history/',
  'services/http/',
  'services/mcp/',
  'services/memory.ts',
  'services/metrics/',
  'services/packages/',
  'services/recordings/',
  'services/tools/',
  'services/traces/',
  'services/workshop/',
  'tasks/rl_trainer.ts',
  'tasks/training_report.ts',
]

/** `file`: from `modules/`. */
export const isShipped = (file: string): boolean =>
  SHIPPED.some((one) => (one.endsWith('/') ? file.startsWith(one) : file === one))
