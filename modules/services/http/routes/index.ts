/** The whole table. An area adds its list here, and is served, documented and callable by its id. */
import { chatRoutes } from './chat.ts'
import { historyRoutes } from './history.ts'
import { eventsRoute, kernelRoutes } from './kernel.ts'
import { mcpRoutes } from './mcp.ts'
import { metricsRoute } from './metrics.ts'
import { openApiRoute } from './openapi.ts'
import { recordingRoutes } from './recordings.ts'
import { serviceRoutes } from './services.ts'
import { toolRoutes } from './tools.ts'
import { traceRoutes } from './traces.ts'

export const ROUTES = [
  ...kernelRoutes,
  eventsRoute,
  ...serviceRoutes,
  ...toolRoutes,
  ...chatRoutes,
  ...recordingRoutes,
  ...traceRoutes,
  metricsRoute,
  ...historyRoutes,
  ...mcpRoutes,
  openApiRoute,
] as const

/** For the typed client: types only, nothing of this folder is loaded by it. */
export type ApiRoute = (typeof ROUTES)[number]
