package usage

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// perOctave buckets lie between a duration and its double, so that a quantile
// is at most a ninth off.
const (
	perOctave = 4
	buckets   = 40 * perOctave // up to twelve days
)

// latency is a histogram of durations. The zero value is ready.
type latency struct {
	count  [buckets]atomic.Int64
	micros atomic.Int64
}

func (l *latency) add(took time.Duration) {
	us := uint64(max(took.Microseconds(), 1))
	l.micros.Add(int64(us))
	l.count[bucketOf(us)].Add(1)
}

// bucketOf takes the highest bit of us and the two after it.
func bucketOf(us uint64) int {
	octave := bits.Len64(us) - 1
	quarter := (us<<2)>>octave - perOctave // 0 to 3
	return min(octave*perOctave+int(quarter), buckets-1)
}

// middle is a duration in the middle of a bucket.
func middle(bucket int) time.Duration {
	octave, quarter := bucket/perOctave, bucket%perOctave
	us := float64(uint64(1)<<octave) * (1 + (float64(quarter)+0.5)/perOctave)
	return time.Duration(us * float64(time.Microsecond))
}

func (l *latency) mean() time.Duration {
	var n int64
	for i := range l.count {
		n += l.count[i].Load()
	}
	if n == 0 {
		return 0
	}
	return time.Duration(l.micros.Load()/n) * time.Microsecond
}

// quantile returns a duration that q of all are below, 0 without any.
func (l *latency) quantile(q float64) time.Duration {
	var counts [buckets]int64
	var n int64
	for i := range l.count {
		counts[i] = l.count[i].Load()
		n += counts[i]
	}
	rank := int64(q * float64(n))
	for i, c := range counts {
		if rank -= c; rank < 0 {
			return middle(i)
		}
	}
	return 0
}
