/** Account reports of version 1 (2006), before parties and agents had the form of 2009. The notation is that of `notation.ts`. */
export const firstReportTypes = `
Address1 > AdrTp?:AddressType2 AdrLine{0,5}:x70 StrtNm?:x70 BldgNb?:x16 PstCd?:x16 TwnNm?:x35 CtrySubDvsn?:x35 Ctry:country
NameAndAddress3 > Nm:x70 Adr:Address1
NameAndAddress7 > Nm:x70 PstlAdr:Address1
SimpleId2 > Id:x34
AccountId3 | IBAN:iban2006 BBAN:c30 UPIC:n8to17 PrtryAcct:SimpleId2
GenericId4 > Id:x35 IdTp:x35
Organisation2 > BIC?:bic IBEI?:ibei BEI?:bic EANGLN?:N13 USCHU?:chips DUNS?:N9 BkPtyId?:x35 TaxIdNb?:x35 PrtryId?:GenericId3
Person3 > ( DrvrsLicNb:x35 CstmrNb:x35 SclSctyNb:x35 AlnRegnNb:x35 PsptNb:x35 TaxIdNb:x35 IdntyCardNb:x35 MplyrIdNb:x35
  DtAndPlcOfBirth:BirthPlace OthrId:GenericId4 ) Issr?:x35
Party2 | OrgId:Organisation2 PrvtId{1,4}:Person3
PartyId8 > Nm?:x70 PstlAdr?:Address1 Id?:Party2 CtryOfRes?:country
ClearingMember3 | Id:x35 Prtry:x35
Institution3 > BIC?:bic ClrSysMmbId?:ClearingMember3 Nm?:x70 PstlAdr?:Address1 PrtryId?:GenericId3
Institution5 | BIC:bic ClrSysMmbId:ClearingMember3 NmAndAdr:NameAndAddress7 PrtryId:GenericId3 CmbndId:Institution3
Branch1 > Id?:x35 Nm?:x35 PstlAdr?:Address1
Agent3 > FinInstnId:Institution5 BrnchId?:Branch1
Account7 > Id:AccountId3 Tp?:AccountType2 Ccy?:currency Nm?:x70
Account13 < Account7 Nm>Ownr?:PartyId8 Ownr>Svcr?:Agent3

Header23 > MsgId:x35 CreDtTm:dateTime MsgRcpt?:PartyId8 MsgPgntn?:Pagination AddtlInf?:x500
RateType1 | PctgRate:rate TxtlRate:x35
Rate1 > Rate:RateType1 VldtyRg?:AmountRange2
AccountInterest1 > Tp?:InterestType1 Rate*:Rate1 FrToDt?:TimePeriod Rsn?:x35
BalanceCode8 = OPBD ITBD CLBD XPCD OPAV ITAV CLAV FWAV PRCD IOPA IITA ICLA IFWA ICLB IITB IOPB IXPC DOPA DITA DCLA DFWA DCLB DITB DOPB DXPC
  COPA CITA CCLA CFWA CCLB CITB COPB CXPC
BalanceType1 | Cd:BalanceCode8 Prtry:x35
Balance1 < Balance3 Tp:BalanceType1
SumPerCode1 < SumPerCode2 -FcstInd
Totals1 < Totals2 TtlNtriesPerBkTxCd:SumPerCode1
ChargeChoice1 | Cd:ChargeType1 PrtryCd:c4
EntryCharges3 > TtlChrgsAndTaxAmt?:amount Amt:amount Tp?:ChargeChoice1 Rate?:rate Br?:ChargeBearer1 Pty?:Agent3 Tax?:TaxCharges2
Interest1 < Interest2 Rate:Rate1
Batch1 < Batch2 -TtlAmt -CdtDbtInd
References1 < References2 -PmtInfId
ProprietaryParty1 > Tp:x35 Pty:PartyId8
Parties1 < Parties2 InitgPty:PartyId8 Dbtr:PartyId8 DbtrAcct:Account7 UltmtDbtr:PartyId8 Cdtr:PartyId8 CdtrAcct:Account7 UltmtCdtr:PartyId8
  TradgPty:PartyId8 Prtry:ProprietaryParty1
ProprietaryAgent1 > Tp:x35 Agt:Agent3
Agents1 < Agents2 DbtrAgt:Agent3 CdtrAgt:Agent3 IntrmyAgt1:Agent3 IntrmyAgt2:Agent3 IntrmyAgt3:Agent3 RcvgAgt:Agent3 DlvrgAgt:Agent3
  IssgAgt:Agent3 SttlmPlc:Agent3 Prtry:ProprietaryAgent1
ProprietaryDate1 > Tp:x35 ( Dt:date DtTm:dateTime )
Dates1 < Dates2 -TradActvtyCtrctlSttlmDt Prtry:ProprietaryDate1
LocationMethod1 = FAXI EDIC URID EMAL POST
Location1 > RmtId?:x35 RmtLctnMtd?:LocationMethod1 RmtLctnElctrncAdr?:x256 RmtLctnPstlAdr?:NameAndAddress3
DocumentType2 = MSIN CNFA DNFA CINV CREN DEBN HIRI SBIN CMCN SOAC DISP
ReferredType1 > ( Cd:DocumentType2 Prtry:x35 ) Issr?:x35
Referred1 > RfrdDocTp?:ReferredType1 RfrdDocNb?:x35
ReferredAmount1 | DuePyblAmt:amount DscntApldAmt:amount RmtdAmt:amount CdtNoteAmt:amount TaxAmt:amount
ReferenceType1 > ( Cd:DocumentType3 Prtry:x35 ) Issr?:x35
Reference1 > CdtrRefTp?:ReferenceType1 CdtrRef?:x35
Structured6 > RfrdDocInf?:Referred1 RfrdDocRltdDt?:date RfrdDocAmt*:ReferredAmount1 CdtrRefInf?:Reference1 Invcr?:PartyId8 Invcee?:PartyId8
  AddtlRmtInf?:x140
Remittance1 > Ustrd*:x140 Strd*:Structured6
TaxType1 > CtgyDesc?:x35 Rate?:rate TaxblBaseAmt?:amount Amt?:amount
TaxDetail1 > CertId?:x35 TaxTp?:TaxType1
Tax2 > CdtrTaxId?:x35 CdtrTaxTp?:x35 DbtrTaxId?:x35 TaxRefNb?:x140 TtlTaxblBaseAmt?:amount TtlTaxAmt?:amount TaxDt?:date
  TaxTpInf*:TaxDetail1
RejectReason2 = AC01 AC04 AC06 AM01 AM02 AM03 AM04 AM05 AM06 AM07 BE01 BE04 BE05 AG01 AG02 DT01 RF01 RC01 TM01 ED01 ED03 MS03 MS02 BE06 BE07
  AM09 AM10 MD01 MD02 MD03 MD04 MD06 MD07 ED05 NARR
ReturnReason1 | Cd:RejectReason2 Prtry:x35
ReturnInformation5 > OrgnlBkTxCd?:TransactionCode4 RtrOrgtr?:PartyId8 RtrRsn?:ReturnReason1 AddtlRtrRsnInf*:x105
EntryTransaction1 < EntryTransaction2 Refs:References1 Chrgs:EntryCharges3 Intrst:Interest1 RltdPties:Parties1 RltdAgts:Agents1
  Purp:cd35 RltdRmtInf:Location1 RmtInf:Remittance1 RltdDts:Dates1 Tax:Tax2 RtrInf:ReturnInformation5 SfkpgAcct:Account7
Entry1 < Entry2 -NtryRef -TechInptChanl -NtryDtls AddtlInfInd>Btch*:Batch1 Chrgs:EntryCharges3
  Intrst:Interest1 Intrst>TxDtls*:EntryTransaction1
Report9 > Id:x35 ElctrncSeqNb?:number LglSeqNb?:number CreDtTm:dateTime FrToDt?:TimePeriod CpyDplctInd?:CopyDuplicate1 Acct:Account13
  RltdAcct?:Account7 Intrst*:AccountInterest1 Bal*:Balance1 TxsSummry?:Totals1 Ntry*:Entry1 AddtlRptInf?:x500
ToCustomerReport1 > GrpHdr:Header23 Rpt+:Report9
`;
