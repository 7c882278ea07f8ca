// Shapes of answers of the Admin API that the registry writes and the command line and the console read. Nothing
// here needs Node: the console, which runs in a browser, takes its types from this file (console/tsconfig.json).
export {
  type ChangeCounts,
  type ConfigChanges,
  configChanges,
  type EntityChange,
  exampleChanges,
  type FieldChange,
} from './answers/config-changes.ts';
export {
  exampleReport,
  type SimulatedDoubt,
  type SimulatedExample,
  type SimulatedGroup,
  type SimulatedOutcome,
  type SimulatedRequest,
  type SimulatedTenant,
  type SimulationReport,
  simulationReport,
} from './answers/simulation-report.ts';
