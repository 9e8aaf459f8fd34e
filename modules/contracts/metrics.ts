/** The service `metrics`: what Prometheus reads. */
export interface MetricsApi {
  /** All of them in Prometheus' text format. */
  text(): Promise<string>
}
