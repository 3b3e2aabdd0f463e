"""Families by name and as plain data: what files may say, and what only the program can."""

import json

import pytest

from contract_wrapper.contracts import named_families
from contract_wrapper.contracts.families import CellPriceContracts, CellTaxContracts, TaxContracts
from contract_wrapper.contracts.function_families import FunctionContracts
from contract_wrapper.contracts.linear_families import LinearContracts
from contract_wrapper.contracts.named_families import (
    family_as_dict,
    family_from_dict,
    family_names,
    get_family,
    name_of,
    register_family,
)
from contract_wrapper.contracts.tax_families import FreeTaxContracts, HarvesterTaxContracts, PieceRateContracts
from contract_wrapper.errors import ContractsError

FAMILIES = {
    "tax": TaxContracts(low=0.1, high=0.6),
    "tax-by-cells": CellTaxContracts(),
    "price-per-cell": CellPriceContracts(high=0.2),
    "tax-per-harvester": HarvesterTaxContracts(n_harvesters=3, high=0.5),
    "tax-and-piece-rate": PieceRateContracts(tax=(0.1, 0.5)),
    "linear": LinearContracts(harvester_weight=(0, 1), cleaner_weight=(-1, 0.5)),
    "free-tax": FreeTaxContracts(piece_rate=(0.5, 1)),
}


def wage(rewards, activity, roles, price):
    return price * activity.cleaned


def other_wage(rewards, activity, roles, price):
    return 2 * price * activity.cleaned


WAGE = FunctionContracts(function=wage, terms={"price": (0, 1)}, mints=True)


@pytest.fixture(autouse=True)
def _registry_of_the_test(monkeypatch):
    monkeypatch.setattr(named_families, "_FAMILIES", dict(named_families._FAMILIES))


def test_every_family_of_this_package_is_tried_here():
    assert tuple(FAMILIES) == family_names()


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_comes_back_from_json_as_it_was(name):
    family = FAMILIES[name]
    data = json.loads(json.dumps(family_as_dict(family)))
    assert data["family"] == name == name_of(family)
    assert family_from_dict(data) == family


def test_families_are_built_by_name_and_numbers():
    assert get_family("tax") == TaxContracts()
    assert get_family("tax", high=0.5) == TaxContracts(high=0.5)
    assert get_family("tax-per-harvester", n_harvesters=3, high=0.5) == FAMILIES["tax-per-harvester"]
    assert get_family("linear", harvester_weight=(0, 1), cleaner_weight=(-1, 0.5)) == FAMILIES["linear"]


@pytest.mark.parametrize(("old", "new"), [("TaxContracts", "tax"), ("CellTaxContracts", "tax-by-cells")])
def test_files_from_before_there_were_names_are_read(old, new):
    assert family_from_dict({"family": old, "bounds": {"tax": [0.1, 0.5]}}) == get_family(new, low=0.1, high=0.5)
    prices = {"family": "CellPriceContracts", "bounds": {"price": [0.0, 0.2]}}
    assert family_from_dict(prices) == CellPriceContracts(high=0.2)


def test_a_function_without_a_name_can_be_in_no_file_and_with_one_it_can():
    with pytest.raises(
        ContractsError, match=r"cannot be kept in a file, which can name tax, .*: call register_family\("
    ):
        family_as_dict(WAGE)
    register_family("wage", WAGE)
    narrow = WAGE.with_bounds({"price": (0.25, 0.5)})
    data = json.loads(json.dumps(family_as_dict(narrow)))
    assert data == {"family": "wage", "bounds": {"price": [0.25, 0.5]}}
    assert family_from_dict(data) == narrow
    assert get_family("wage") == WAGE
    assert get_family("wage", price=(0.25, 0.5)) == narrow
    assert family_names()[-1] == "wage"


def test_a_name_is_that_of_one_function_alone():
    register_family("wage", WAGE)
    register_family("wage", FunctionContracts(function=wage, terms={"price": (0, 3)}, mints=True))  # the same again
    other = FunctionContracts(function=other_wage, terms={"price": (0, 1)}, mints=True)
    with pytest.raises(ContractsError, match="the name 'wage' belongs to other contracts"):
        register_family("wage", other)
    assert name_of(other) is None
    assert name_of(FunctionContracts(function=wage, terms={"price": (0, 1)})) is None  # it does not mint


def test_a_file_cannot_make_the_program_look_for_a_family():
    for name in ("wage", "os.system", "contract_wrapper.contracts.families:TaxContracts", 7, None, ["tax"]):
        with pytest.raises(
            ContractsError, match=r"there are no contracts of the name .* register_family\(name, family\)"
        ):
            family_from_dict({"family": name, "bounds": {"price": [0, 1]}})


def test_an_object_of_a_class_of_ones_own_has_the_bounds_of_its_registration():
    class Mine(TaxContracts):
        pass

    register_family("mine", Mine(high=0.5))
    assert name_of(Mine(high=0.5)) == "mine"
    assert name_of(Mine()) is None
    assert family_from_dict(family_as_dict(Mine(high=0.5))) == Mine(high=0.5)
    with pytest.raises(ContractsError, match=r"contracts of the name 'mine' have the bounds .* here, got"):
        family_from_dict({"family": "mine", "bounds": {"tax": [0, 1]}})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: get_family("taxes"),
            r"no contracts of the name 'taxes' \(did you mean 'tax'\?\): the names are tax, tax-by",
        ),
        (lambda: get_family("tax", least=0), "contracts of the name 'tax' are given by low, high: .*'least'"),
        (lambda: get_family("linear"), "given by harvester_weight, cleaner_weight: missing a required"),
        (lambda: get_family("tax", low=2), "low must be a number between 0 and 1, got 2"),
        (lambda: register_family("tax", WAGE), "the name 'tax' belongs to other contracts"),
        (lambda: register_family("TaxContracts", WAGE), "the name 'TaxContracts' belongs to other contracts"),
        (lambda: register_family("", WAGE), "must be a text of 1 to 100 printable characters, got ''"),
        (lambda: register_family("a\nb", WAGE), "must be a text of 1 to 100 printable characters"),
        (lambda: register_family("mine", TaxContracts), "is a class: register an object of it"),
        (lambda: register_family("mine", object()), "lacks terms, bounds, n_shown, payment, shown, scale"),
        (lambda: family_from_dict({"family": "tax"}), "is written as its 'family' and its 'bounds', got"),
        (lambda: family_from_dict({"family": "tax", "bounds": [0, 1]}), "is written as its 'family' and its 'bounds'"),
        (lambda: family_from_dict({"family": "tax", "bounds": {"tax": 1}}), "the bounds of tax are its least and its"),
        (lambda: family_from_dict({"family": "tax", "bounds": {"price": [0, 1]}}), r"bounds of tax, got \['price'\]"),
        (lambda: family_from_dict({"family": "tax", "bounds": {"tax": [0.5, 0.2]}}), "low must be at most high"),
        (
            lambda: family_from_dict({"family": "tax-per-harvester", "bounds": {"tax_0": [0, 1], "tax_1": [0, 0.5]}}),
            "the taxes tax_0, tax_1, ... of all harvesters have the same bounds",
        ),
        (lambda: family_from_dict({"family": "tax-per-harvester", "bounds": {}}), "have the same bounds, got {}"),
        (
            lambda: family_from_dict({"family": "linear", "bounds": {"cleaner_weight": [0, 1]}}),
            "have bounds of harvester",
        ),
    ],
)
def test_wrong_names_and_data_are_refused(call, message):
    with pytest.raises(ContractsError, match=message):
        call()


def test_a_function_registered_under_a_name_is_given_by_bounds_of_its_terms():
    register_family("wage", WAGE)
    with pytest.raises(ContractsError, match="contracts of the name 'wage' are given by bounds of price, got wages"):
        get_family("wage", wages=(0, 1))
    with pytest.raises(ContractsError, match="the bounds of price are its least and its largest value, got 1"):
        get_family("wage", price=1)
