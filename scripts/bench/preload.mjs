// Loaded into the program that is measured (`node --import`): says at its end what it took of the processor.
import { PerformanceObserver } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  let collecting = 0;
  const take = (entries) => {
    for (const { duration } of entries) collecting += duration;
  };
  const observer = new PerformanceObserver((list) => take(list.getEntries()));
  observer.observe({ entryTypes: ['gc'] });
  process.on('exit', () => {
    take(observer.takeRecords());
    const seconds = ({ user, system }) => (user + system) / 1e6;
    const processor = {
      all: seconds(process.cpuUsage()),
      main: seconds(process.threadCpuUsage()),
      collecting: collecting / 1000,
    };
    process.stderr.write(`ODOO-BACKUP-BENCH ${JSON.stringify(processor)}\n`);
  });
}
