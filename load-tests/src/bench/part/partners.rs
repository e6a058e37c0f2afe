//! What it costs that all traffic is one partner's: every authorization reserves of its deposit,
//! and must wait for no other. The same switch at saturation with as many cards of one partner as
//! of a hundred, by turns. Must give both loads the same number of cards.

use std::sync::Arc;

use anyhow::Result;
use serde::Serialize;

use super::switch::{Stage, stage_of};
use crate::bench::arguments::Arguments;
use crate::bench::bounds::Bound;
use crate::bench::cluster::Cluster;
use crate::bench::generator::{Load, Shape};
use crate::bench::measure::{Measured, Point, Series};
use crate::bench::statistics::{Spread, paired_ratio};
use crate::bench::subject::cards::{Population, partner_of};
use crate::bench::table;
use crate::bench::wire::request::TestPan;

const PARTNERS: usize = 100;
/// Of each partner: so many cards the load of one partner has, and as many the other of all.
const CARDS_EACH: usize = 200;
const CONNECTIONS: usize = 8;
const WINDOW: usize = 256;

/// Saturation by the cards of a hundred partners, and by those of one.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct OnePartner {
    hundred: Series,
    one: Series,
    /// Of one partner by that of a hundred, within each pair.
    ratio_per_second: Spread,
    ratio_cpu_switch: Spread,
    ratio_cpu_postgres: Spread,
}

/// Measures them: a hundred, one, one, a hundred and so on.
pub(crate) fn measure_one_partner(
    arguments: &Arguments,
    cluster: &mut Cluster,
) -> Result<OnePartner> {
    let population = Population { partners: PARTNERS, cards: PARTNERS * CARDS_EACH };
    let mut stage = stage_of(arguments, cluster, ("bench_partners", population))?;
    let measured = measure_pairs(arguments, cluster, &mut stage);
    stage.switch.stop()?;
    let result = OnePartner::of(&measured?);
    println!("\nsaturation by {CARDS_EACH} cards of {PARTNERS} partners, and of one partner");
    println!("{}\n{}\n{}", table::HEAD, table::line(&result.hundred), table::line(&result.one));
    Ok(result)
}

fn measure_pairs(
    arguments: &Arguments,
    cluster: &mut Cluster,
    stage: &mut Stage,
) -> Result<Vec<[Measured; 2]>> {
    let (pairs, time) = arguments.pairs();
    let load = |stage: &Stage, cards: Arc<[TestPan]>| Load {
        cards,
        ..stage.load(CONNECTIONS, Shape::Closed { window: WINDOW }, time)
    };
    let hundred = load(stage, cards_of_all(&stage.cards));
    let one = load(stage, cards_of_first(&stage.cards));
    (0..pairs)
        .map(|pair| {
            if pair % 2 == 0 {
                let before = stage.run(cluster, &hundred)?;
                return Ok([before, stage.run(cluster, &one)?]);
            }
            let before = stage.run(cluster, &one)?;
            Ok([stage.run(cluster, &hundred)?, before])
        })
        .collect()
}

fn cards_of_first(pans: &[TestPan]) -> Arc<[TestPan]> {
    let of_first = |(card, _): &(usize, &TestPan)| partner_of(*card, PARTNERS) == 0;
    pans.iter().enumerate().filter(of_first).map(|(_, pan)| *pan).take(CARDS_EACH).collect()
}

/// As many of each partner, one of each after the other.
fn cards_of_all(pans: &[TestPan]) -> Arc<[TestPan]> {
    let mut each = vec![Vec::new(); PARTNERS];
    pans.iter().enumerate().for_each(|(card, pan)| each[partner_of(card, PARTNERS)].push(*pan));
    let turns = 0..CARDS_EACH / PARTNERS;
    turns.flat_map(|turn| each.iter().filter_map(move |own| own.get(turn).copied())).collect()
}

impl OnePartner {
    fn of(pairs: &[[Measured; 2]]) -> OnePartner {
        let ratio = |figure: fn(&Point) -> f64| {
            let both = pairs.iter().filter_map(|[hundred, one]| {
                Some((figure(one.points.first()?), figure(hundred.points.first()?)))
            });
            paired_ratio(&both.collect::<Vec<_>>())
        };
        let half = |index: usize| pairs.iter().map(|pair| pair[index].clone()).collect::<Vec<_>>();
        OnePartner {
            hundred: Series::of("closed loop, 100 partners", &half(0)),
            one: Series::of("closed loop, 1 partner", &half(1)),
            ratio_per_second: ratio(|point| point.per_second),
            ratio_cpu_switch: ratio(|point| point.cpu_us_subject),
            ratio_cpu_postgres: ratio(|point| point.cpu_us_postgres),
        }
    }

    /// What it may cost.
    pub(crate) fn bounds(&self) -> [Bound; 2] {
        let Self { hundred, one, ratio_per_second, ratio_cpu_switch, ratio_cpu_postgres } = self;
        let spread = format!(
            "[{:.2}-{:.2}] in {} pairs; {:.0}/s against {:.0}/s; CPU us of the switch {:.2} times \
             [{:.2}-{:.2}], of PostgreSQL {:.2} times",
            ratio_per_second.least,
            ratio_per_second.most,
            ratio_per_second.runs,
            one.per_second.median,
            hundred.per_second.median,
            ratio_cpu_switch.median,
            ratio_cpu_switch.least,
            ratio_cpu_switch.most,
            ratio_cpu_postgres.median
        );
        let wrong = one.faults.total() + hundred.faults.total();
        [
            Bound::at_least("one partner / a hundred, throughput", ratio_per_second.median, 0.9)
                .remark(spread),
            Bound::at_most("of these answers not as wanted (and one)", wrong as f64 + 1.0, 1.0),
        ]
    }
}
