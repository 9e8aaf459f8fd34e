/** The whole table. An area adds its list here, and is served, documented and callable by its id. */
import { approvalRoutes } from './approvals.ts'
import { changeRoutes } from './changes.ts'
import { chatRoutes } from './chat.ts'
import { controlRoutes } from './control.ts'
import { doctorRoute } from './doctor.ts'
import { freezeRoutes } from './freeze.ts'
import { historyRoutes } from './history.ts'
import { improveRoutes } from './improve.ts'
import { eventsRoute, kernelRoutes } from './kernel.ts'
import { logsRoute } from './logs.ts'
import { mcpRoutes } from './mcp.ts'
import { metaLoopRoutes } from './meta-loop.ts'
import { metaRoutes } from './meta.ts'
import { metaRuleRoutes } from './meta-rules.ts'
import { metricsRoute } from './metrics.ts'
import { openApiRoute } from './openapi.ts'
import { recordingRoutes } from './recordings.ts'
import { serviceRoutes } from './services.ts'
import { toolRoutes } from './tools.ts'
import { traceRoutes } from './traces.ts'

export const ROUTES = [
  ...kernelRoutes,
  ...freezeRoutes,
  eventsRoute,
  ...serviceRoutes,
  ...toolRoutes,
  ...chatRoutes,
  ...approvalRoutes,
  ...controlRoutes,
  ...changeRoutes,
  ...improveRoutes,
  ...metaLoopRoutes,
  ...metaRoutes,
  ...metaRuleRoutes,
  ...recordingRoutes,
  ...traceRoutes,
  metricsRoute,
  logsRoute,
  doctorRoute,
  ...historyRoutes,
  ...mcpRoutes,
  openApiRoute,
] as const

/** For the typed client: types only, nothing of this folder is loaded by it. */
export type ApiRoute = (typeof ROUTES)[number]
