//! The words of fees: the catalogue of what may be charged for, where a card is used, and which
//! terms are a price.

use switch_domain::{
    ChargedBy, Country, Currency, FeeEvent, FeeSchedule, InvalidPrice, InvalidSchedule,
    MOST_OF_A_FEE, MinorUnits, Place, Price, PriceTerms, Surroundings,
};

#[test]
fn every_known_kind_has_a_number_and_a_name_of_its_own() {
    let mut before = 0;
    for event in FeeEvent::known() {
        assert!(event.code() > before, "{event:?}");
        before = event.code();
        assert_eq!(FeeEvent::from_code(before), Some(event));
        assert_eq!(FeeEvent::from_name(&event.name()), Some(event));
    }
    assert_eq!((FeeEvent::known().count(), before), (28, 49));
    assert_eq!(FeeEvent::from_code(0), None);
    assert_eq!(FeeEvent::from_code(50), None);
}

#[test]
fn a_name_of_a_partners_own_is_no_slip_in_a_known_one() {
    let own = FeeEvent::from_name("other:paper_statement").expect("a name");
    assert_eq!((own.name().as_str(), own.code()), ("other:paper_statement", 0));
    for wrong in [
        "",
        "pos",
        "pos_domestc_authorized",
        "paper_statement",
        "other:",
        "other:Paper",
        "other:paper statement",
        "other:paper ",
        "other:a_name_that_is_too_long",
    ] {
        assert_eq!(FeeEvent::from_name(wrong), None, "`{wrong}`");
    }
}

#[test]
fn a_country_is_at_home_in_the_region_or_in_the_world() {
    let country = |code| Country::from_code(code).expect("a country");
    let region = vec![country("FR"), country("PT")];
    let around = Surroundings { home: Some(country("ES")), region };
    let place = |code: Option<&'static str>| around.place_of(code.map(country));
    assert_eq!(place(Some("ES")), Place::Domestic);
    assert_eq!(place(None), Place::Domestic);
    assert_eq!([place(Some("FR")), place(Some("PT"))], [Place::Region; 2]);
    assert_eq!(place(Some("US")), Place::World);
    let nowhere = Surroundings::default();
    assert_eq!(nowhere.place_of(Some(country("US"))), Place::Domestic, "nobody said where it is");
}

#[test]
fn a_region_has_each_of_64_countries_once_and_none_without_a_home() {
    let country = |code| Country::from_code(code).expect("a country");
    let of = |home: Option<&'static str>, region: Vec<Country>| {
        let currency = Currency::from_alphabetic("EUR").expect("a currency");
        let schedule = FeeSchedule::new(currency, ChargedBy::Platform, Vec::new());
        let around = Surroundings { home: home.map(country), region };
        schedule.and_then(|schedule| schedule.within(around)).err()
    };
    assert_eq!(of(None, Vec::new()), None);
    assert_eq!(of(Some("ES"), vec![country("FR"), country("PT")]), None);
    assert_eq!(of(None, vec![country("FR")]), Some(InvalidSchedule::Region));
    assert_eq!(of(Some("ES"), vec![country("ES")]), Some(InvalidSchedule::Region));
    assert_eq!(of(Some("ES"), vec![country("FR"); 2]), Some(InvalidSchedule::Region));
    let all = (1..1_000).filter_map(|code| Country::from_numeric(code).ok());
    let all: Vec<_> = all.filter(|one| *one != country("ES")).collect();
    assert_eq!(of(Some("ES"), all[..64].to_vec()), None);
    assert_eq!(of(Some("ES"), all[..65].to_vec()), Some(InvalidSchedule::Region));
}

#[test]
fn terms_below_zero_or_out_of_order_are_no_price() {
    let of = |fixed, least, most: Option<i64>| {
        let most = most.map(MinorUnits);
        let (fixed, least) = (MinorUnits(fixed), MinorUnits(least));
        Price::new(PriceTerms { fixed, least, most, ..PriceTerms::default() }).err()
    };
    let MinorUnits(limit) = MOST_OF_A_FEE;
    let past = limit.saturating_add(1);
    assert_eq!(of(0, 0, None), None);
    assert_eq!(of(limit, limit, Some(limit)), None);
    for (fixed, least, most) in
        [(-1, 0, None), (0, -1, None), (0, 0, Some(-1)), (past, 0, None), (0, 0, Some(past))]
    {
        assert_eq!(of(fixed, least, most), Some(InvalidPrice::OutOfRange));
    }
    assert_eq!(of(0, 2, Some(1)), Some(InvalidPrice::MostBelowLeast));
}
