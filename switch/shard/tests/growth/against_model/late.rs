//! Requests whose answer is not wanted any more when it could be sent, and one whose process ends
//! while it is on its way. Whoever sent them asks again, as every acquirer does, and only then it
//! is known what became of them; the model is told that, and must agree with all of it.

use std::time::Duration;

use switch_domain::{MessageClass, Reason};
use switch_shard::Command;

use super::Run;
use super::node::{as_repeat, found};
use crate::reference::commands::Asked;
use crate::reference::model::{Arrival, Ask, Key};

/// Long enough to be decided, and shorter than a commit.
const HARDLY: Duration = Duration::from_micros(150);
const LONG: Duration = Duration::from_secs(60);

impl Run {
    /// A request that is decided while another row is on its way, and is late before its own is.
    pub(super) async fn late(&mut self, arrival: Arrival) {
        let command = self.subject.marked(&self.model, arrival);
        let card = super::node::card_of(arrival);
        let (before, print) = self.bystanders_purchase(card);
        self.subject.tokens += 2;
        let first = self.subject.tokens;
        let own = self.subject.names.holders[card].print;
        let serving = self.subject.serving();
        serving.hand_in(print, before, first - 1, LONG);
        let mut replies = Vec::new();
        while serving.node.stuck_for().is_none() && !serving.has_reply() {
            tokio::task::yield_now().await;
        }
        serving.hand_in(own, command, first, HARDLY);
        while replies.len() < 2 {
            replies.push(serving.reply().await);
        }
        let own = replies.into_iter().find(|reply| reply.token == first).expect("each gets one");
        match found(own.outcome) {
            Some(decision) => {
                self.drawn.note(&self.model, arrival);
                self.expect(arrival, decision);
            }
            None => self.ask_again(arrival).await,
        }
    }

    /// What became of a request whose answer nobody heard.
    async fn ask_again(&mut self, arrival: Arrival) {
        let Asked::Message(command) = self.subject.names.asked(arrival) else { return };
        let command = *command;
        let outcome = self.subject.send(as_repeat(command), arrival).await;
        let decision = found(outcome).expect("asked again it is decided");
        self.drawn.note(&self.model, arrival);
        if !decision.repeated {
            return self.expect(arrival, decision);
        }
        // What it was at first, under the name that the repeat tells.
        let at = self.model.messages.len();
        let first = self.model.arrive(arrival).expect("an answer");
        self.subject.names.messages.push(decision.authorization.expect("it has a name"));
        if first.reason == Reason::Approved && decision.reason == Reason::IssuerInoperative {
            self.drawn.note(&self.model, Arrival::Void(at));
            self.model.arrive(Arrival::Void(at));
            self.subject.voided += 1;
        }
        self.expect(arrival, decision);
    }

    /// The node ends with a request on its way.
    pub(super) async fn kill(&mut self) {
        let (arrival, command) = loop {
            let next = self.traffic.next(self.model.messages.len());
            if matches!(next, Arrival::Request(_)) && !self.model.was_answered(next) {
                break (next, self.subject.marked(&self.model, next));
            }
        };
        let print = self.subject.names.holders[super::node::card_of(arrival)].print;
        self.subject.serving().hand_in(print, command, 0, LONG);
        self.subject.kill_node();
        self.on_its_way = Some(arrival);
    }

    pub(super) async fn after_the_kill(&mut self) {
        if let Some(arrival) = self.on_its_way.take() {
            self.ask_again(arrival).await;
        }
    }

    /// A purchase in the same shard by somebody who has nothing to do with the model.
    fn bystanders_purchase(&self, card: usize) -> (Command, switch_domain::Fingerprint) {
        let shard = self.subject.shard_of(card);
        let number = self.subject.bystanders.iter().position(|one| one.balance.shard() == shard);
        let bystander = self.subject.bystanders[number.expect("one in each shard")];
        let stan = u32::try_from(self.subject.tokens).expect("a short run");
        let class = MessageClass::AuthorizationRequest;
        let key = Key { class, card: 0, stan, terminal: 9, rrn: 0 };
        let ask = Ask {
            key,
            kind: switch_domain::TransactionType::Purchase,
            minor: 1,
            approved: true,
            names: None,
            last: false,
            adds: None,
            on_top: (0, 0),
            network: 0,
            of_network: 0,
        };
        let asked = self.subject.names.asked(Arrival::Request(ask));
        let Asked::Message(asked) = asked else { unreachable!("one") };
        let Command::Authorize(mut request) = *asked else { unreachable!("one") };
        request.card = Some(bystander.card);
        request.facts.key.card = bystander.print;
        request.bin.0 += 1;
        (Command::Authorize(request), bystander.print)
    }
}
